#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tacit_fuzz::certificate::certificate_presentation(data);
});
