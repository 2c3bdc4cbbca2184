#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tacit_fuzz::protocol::payment_request_text(data);
});
