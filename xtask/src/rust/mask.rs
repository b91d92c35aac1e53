//! Blanks out comments, strings and characters, so that what is left is code.

use super::Literal;

/// Code with everything else blanked out: as many characters and lines as the text had.
pub(super) struct Masked {
    /// The characters.
    pub(super) code: Vec<char>,
    /// The string literals that were blanked out.
    pub(super) literals: Vec<Literal>,
}

/// Whether a character can be part of an identifier.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Masks a text. A comment or string that never ends is blanked to the end of the text.
pub(super) fn mask(text: &str) -> Masked {
    let mut masker = Masker {
        text: text.chars().collect(),
        at: 0,
        line: 1,
        masked: Masked { code: Vec::with_capacity(text.len()), literals: Vec::new() },
    };
    while masker.step() {}
    masker.masked
}

struct Masker {
    text: Vec<char>,
    at: usize,
    line: usize,
    masked: Masked,
}

impl Masker {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    /// Moves on by one character, which is kept or blanked out; gives it.
    fn advance(&mut self, keep: bool) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        self.masked.code.push(if keep || c == '\n' { c } else { ' ' });
        Some(c)
    }

    fn blank(&mut self, n: usize) {
        for _ in 0..n {
            self.advance(false);
        }
    }

    /// Masks the next token; false at the end.
    fn step(&mut self) -> bool {
        match (self.peek(0), self.peek(1)) {
            (None, _) => return false,
            (Some('/'), Some('/')) => self.line_comment(),
            (Some('/'), Some('*')) => self.block_comment(),
            (Some('"'), _) => self.string(),
            (Some('\''), _) => self.character_or_lifetime(),
            (Some(c), _) if is_word(c) => self.word(),
            _ => drop(self.advance(true)),
        }
        true
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.advance(false);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return,
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.blank(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.blank(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.blank(1),
            }
        }
    }

    /// A string in which a backslash escapes.
    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.blank(1);
        while let Some(c) = self.advance(false) {
            if c == '"' {
                break;
            }
            text.push(c);
            if c == '\\' {
                text.extend(self.advance(false));
            }
        }
        self.masked.literals.push(Literal { line, text });
    }

    /// `'x'`, `'\n'` and `'\u{1F600}'` are blanked out, the lifetime `'x` is not.
    fn character_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            // The quote, the backslash and what it escapes, which may be a quote.
            self.blank(3);
            while self.advance(false).is_some_and(|c| c != '\'') {}
        } else if self.peek(2) == Some('\'') {
            self.blank(3);
        } else {
            self.advance(true);
        }
    }

    /// An identifier, keyword or number; `r`, `br` and `cr` may begin a raw string.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.advance(true);
        }
        let word: String = self.text.get(start..self.at).unwrap_or_default().iter().collect();
        if matches!(word.as_str(), "r" | "br" | "cr") {
            let n_hashes = (0..).take_while(|n| self.peek(*n) == Some('#')).count();
            if self.peek(n_hashes) == Some('"') {
                self.raw_string(n_hashes);
            }
        }
    }

    fn raw_string(&mut self, n_hashes: usize) {
        let line = self.line;
        let mut text = String::new();
        self.blank(n_hashes + 1);
        while let Some(c) = self.advance(false) {
            if c == '"' && (0..n_hashes).all(|n| self.peek(n) == Some('#')) {
                self.blank(n_hashes);
                break;
            }
            text.push(c);
        }
        self.masked.literals.push(Literal { line, text });
    }
}
