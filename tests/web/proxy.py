"""What stands between a wallet and its operator: a proxy for HTTP that can be slow, lose answers, refuse, and tell something else."""

import contextlib
import http.client
import http.server
import threading
import time
import urllib.parse

HOP = {"connection", "keep-alive", "proxy-connection", "proxy-authorization", "transfer-encoding", "te", "upgrade", "content-length"}
PATIENCE = 60  # seconds


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # A browser that has gone away, or that asked for a tunnel.


class Proxy:
    """`rule` is asked of each request (method, host, path) that is not a browser's question beforehand, and names what becomes of it:

    None            it is carried out, and answered;
    a number        the same, as many seconds later;
    "lose"          it is carried out, and the answer breaks off;
    "refuse"        503, and nobody hears of it;
    a function      it is carried out; the function makes the body that is answered of the one that came, or raises ConnectionError.
    """

    def __init__(self, port):
        self.rule, self.struck = lambda *_: None, []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                with contextlib.suppress(OSError):
                    proxy.carry(self, port)

            do_GET = do_POST = do_OPTIONS = do_HEAD = do

            def log_message(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.block_on_close = False  # Browsers keep spare connections open.
        self.server.server_close()

    def carry(self, asked, port):
        url = urllib.parse.urlsplit(asked.path)
        body = asked.rfile.read(int(asked.headers.get("content-length", 0)))
        fate = None if asked.command == "OPTIONS" else self.rule(asked.command, url.hostname, url.path)
        if fate is not None:
            self.struck.append(url.path)
        if fate == "refuse":
            return self.answer(asked, 503, [("access-control-allow-origin", "*")], b"")
        try:
            status, headers, content = self.ask(asked, url, body, port)
            if callable(fate):
                content = fate(content)
        except OSError:
            asked.close_connection = True
            return None
        if fate == "lose":
            # Half of it: a browser asks again by itself if nothing came at all.
            asked.wfile.write(b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-length: 1000\r\n\r\n{")
            asked.close_connection = True
            return None
        if isinstance(fate, int):
            time.sleep(fate)
        return self.answer(asked, status, headers, content)

    @staticmethod
    def ask(asked, url, body, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            headers = {name: value for name, value in asked.headers.items() if name.lower() not in HOP | {"accept-encoding"}}
            if body:
                headers["content-length"] = str(len(body))
            path = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
            connection.request(asked.command, path, body or None, headers)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    @staticmethod
    def answer(asked, status, headers, content):
        asked.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                asked.send_header(name, value)
        asked.send_header("content-length", str(len(content)))
        asked.end_headers()
        if asked.command != "HEAD":
            asked.wfile.write(content)
