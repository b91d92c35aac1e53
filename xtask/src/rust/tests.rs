//! What the scanner makes of text that would fool a plain search.

use super::{Function, Scan};

fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let told = |f: &Function| (f.name.clone(), f.line, f.n_lines);
    Scan::new(text).functions.iter().map(told).collect()
}

fn literals(text: &str) -> Vec<(usize, String)> {
    Scan::new(text).literals.into_iter().map(|l| (l.line, l.text)).collect()
}

fn uses(text: &str) -> Vec<(usize, String)> {
    Scan::new(text).uses.into_iter().map(|u| (u.line, u.path)).collect()
}

#[test]
fn functions_are_measured_from_fn_to_brace() {
    let text =
        "/// Doc.\n#[inline]\npub(crate) fn one(\n    a: u8,\n) -> u8 {\n    a\n}\nfn two() {}\n";
    assert_eq!(functions(text), [("one".into(), 3, 5), ("two".into(), 8, 1)]);
}

#[test]
fn braces_outside_code_do_not_count() {
    let text = "fn f() {\n    let a = \"}\"; // }\n    /* } /* } */ } */\n    let b = '}';\n    \
                let c = r#\"}\"}\"#;\n    let d = b'}';\n    let e = '\\'';\n    let g = br\"}\";\n}\nfn h() {\n}\n";
    assert_eq!(functions(text), [("f".into(), 1, 9), ("h".into(), 10, 2)]);
}

#[test]
fn lifetimes_are_no_characters() {
    let text = "fn f<'a>(x: &'a str, y: &'a str) -> &'a str {\n    let _ = '{';\n    x\n}\n";
    assert_eq!(functions(text), [("f".into(), 1, 4)]);
}

#[test]
fn semicolons_in_types_do_not_end_a_function() {
    let text = "fn f(x: [u8; 4]) -> [u8; 2] {\n    [x[0]; 2]\n}\ntrait T {\n    fn g(&self);\n}\n";
    assert_eq!(functions(text), [("f".into(), 1, 3), ("g".into(), 5, 1)]);
}

#[test]
fn function_pointers_and_macro_names_are_no_functions() {
    let text =
        "type F = fn(u8) -> u8;\nmacro_rules! m { ($n:ident) => { fn $n() {} } }\n// fn no() {\n";
    assert_eq!(functions(text), []);
}

#[test]
fn nested_functions_are_measured_too() {
    let text = "fn outer() {\n    fn inner() {\n        let _ = 1;\n    }\n    inner();\n}\n";
    assert_eq!(functions(text), [("outer".into(), 1, 6), ("inner".into(), 2, 3)]);
}

#[test]
fn literals_have_their_line_and_text() {
    let text = "let a = \"x\\\"y\";\nlet b = r##\"p\"#q\"##;\n// \"no\"\nlet c = c\"z\"; let r#type = 1;\n";
    assert_eq!(literals(text), [(1, "x\\\"y".into()), (2, "p\"#q".into()), (4, "z".into())]);
}

#[test]
fn text_that_never_ends_does_no_harm() {
    for text in
        ["\"abc", "r#\"abc\"", "/* /* */", "'", "'\\", "fn f() {", "use a::{b", "#[cfg(test)]"]
    {
        let scan = Scan::new(text);
        assert!(scan.functions.len() <= 1, "{text}");
    }
}

#[test]
fn imports_are_written_out() {
    let text = "pub use std::{\n    fs,\n    time::{Duration, Instant as I},\n    io::{self, Read},\n};\nuse ::tokio::*;\nfn f() -> impl Sized + use<'_> {}\n";
    let expected = [
        (2, "std::fs"),
        (3, "std::time::Duration"),
        (3, "std::time::Instant"),
        (4, "std::io::self"),
        (4, "std::io::Read"),
        (6, "tokio::*"),
    ];
    assert_eq!(uses(text), expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn naming_goes_by_whole_words_and_through_imports() {
    let scan = Scan::new(
        "use std::{fs, time::*};\nlet a = std::fs::read(p);\nlet b = std::fsx::y;\n// std::fs\nlet c = \"std::fs\";\n",
    );
    assert_eq!(scan.lines_naming("std::fs"), [1, 2]);
    assert_eq!(scan.lines_naming("std::time::Instant"), [1]);
    assert_eq!(scan.lines_naming("std::net"), []);
}

#[test]
fn test_items_are_told_from_the_rest() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(all(test, unix))]\nuse x::y;\n#[cfg(any(test, feature = \"testing\"))]\nfn d() {}\n";
    let scan = Scan::new(text);
    let lines: Vec<usize> = (1..=10).filter(|line| scan.is_test_line(*line)).collect();
    assert_eq!(lines, [2, 3, 4, 5, 7, 8]);
    assert!(Scan::new("//! Doc.\n#![cfg(test)]\nfn a() {}\n").is_test_line(3));
}
