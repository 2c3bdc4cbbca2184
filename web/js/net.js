// One request and what came back: no cookie, no referrer, no cache, no redirect.

const ANSWER_MAX = 16 * 1024 * 1024;

// Gives [status, bytes], or why no answer came, as text.
export async function send(url, method, body, type, bearer, milliseconds) {
  const headers = {};
  if (type) headers['content-type'] = type;
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), milliseconds);
  try {
    const response = await fetch(url, {
      method, headers, body: body ?? undefined, signal: stop.signal,
      credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', redirect: 'error', mode: 'cors',
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > ANSWER_MAX) return 'the answer is too long';
    return [response.status, bytes];
  } catch (error) {
    return stop.signal.aborted ? 'timeout' : String(error?.message ?? error);
  } finally {
    clearTimeout(timer);
  }
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
