import init from './{{app.js}}';

init({ module_or_path: './{{app.wasm}}' }).catch(() => {
  document.getElementById('wait').textContent = document.getElementById('wait').dataset.failed;
});
