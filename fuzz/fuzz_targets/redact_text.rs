//! Any text: no panic, spans in order and at characters' bounds, and nothing left for a second pass.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modeltrail_core::redact::Redactor;

fuzz_target!(|text: &str| {
    let redactor = Redactor::default();
    let mut last = 0;
    for span in redactor.find(text, None) {
        assert!(last <= span.start && span.start < span.end && span.end <= text.len());
        assert!(text.get(span.start..span.end).is_some(), "a span cuts a character");
        last = span.end;
    }
    if let Some((masked, counts)) = redactor.redact_text(text) {
        assert!(!counts.is_empty(), "masked, and nothing counted");
        assert!(redactor.redact_text(&masked).is_none(), "a second pass masks more");
    }
});
