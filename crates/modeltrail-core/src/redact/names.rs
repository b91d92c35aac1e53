//! Names that say what their value is: of members (`userPassword`, `X-Api-Key`, `first_name`) and of
//! variables in text (`client_secret = …`).
//!
//! A name is cut into words, and its last word decides, as in a noun phrase: a `password_reset` is a
//! reset, `max_tokens` are tokens. Words before it can make it surer (`access_token`) or something
//! else (`stop_token`, `cache_key`).

use super::context::words;
use super::lexicon::{Shapes, is_in};
use super::name_words::*;
use super::rule::Rule;
use super::values;

/// What a name says about its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    pub(super) rule: Rule,
    pub(super) need: Need,
    /// Whether it holds for all that lies beneath.
    pub(super) deep: bool,
}

/// What a value has to look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// Anything but a variable or a word for nothing.
    Any,
    /// Characters as a generator makes them: the name alone does not tell.
    Random,
    /// `name=value`, or random characters.
    Cookie,
    /// This many digits, from and to, marks between them aside.
    Digits(usize, usize),
    /// A short code with a digit in it.
    Code,
    /// Four digits at least: a date in any form.
    Date,
    /// Words as names of people have them.
    Person,
    /// A line of a postal address.
    Street,
}

impl Need {
    /// Whether a whole value is what the name says.
    pub(super) fn is_met(self, value: &str) -> bool {
        let value = value.trim();
        if values::is_blank(value) {
            return false;
        }
        let digits = || value.bytes().filter(u8::is_ascii_digit).count();
        match self {
            Self::Any => !values::is_stand_in(value),
            Self::Random => values::is_random(value, 16),
            Self::Cookie => value.contains('=') || values::is_random(value, 16),
            Self::Digits(from, to) => {
                let plain = |b: u8| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'/');
                value.bytes().all(plain) && (from..=to).contains(&digits())
            }
            Self::Code => {
                let plain =
                    |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '/' | '*' | '.');
                (2..=24).contains(&value.len()) && digits() > 0 && value.chars().all(plain)
            }
            Self::Date => digits() >= 4 && value.len() <= 40,
            Self::Person => {
                let plain =
                    |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.' | ',');
                value.len() <= 100
                    && value.chars().any(char::is_alphabetic)
                    && value.chars().all(plain)
            }
            Self::Street => {
                let other = value.contains("://") || value.starts_with("0x") || value.contains('@');
                !other
                    && value.chars().any(char::is_alphanumeric)
                    && (digits() > 0 || value.contains(' '))
            }
        }
    }
}

/// A name for which [`is_person`] holds.
pub(super) const PERSON: &str = "person";

/// Bytes of a name that are read: its end.
const NAME_BYTES_MAX: usize = 96;

/// What a name says; `outer` is the name of the object or list that holds the member.
pub(super) fn verdict(name: &str, outer: Option<&str>) -> Option<Verdict> {
    let mut from = name.len().saturating_sub(NAME_BYTES_MAX);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    let mut tail = Tail { words: [""; 4], numbered: false };
    for word in words(name.get(from..)?) {
        tail.push(word);
    }
    tail.trim();
    let [.., second, head] = tail.words;
    let possible = HEADS.may_have(head) || !head.is_ascii();
    if !possible || is_in(&CANCELS, second) {
        return None;
    }
    secret(head, second).or_else(|| person(&tail, outer))
}

/// Whether a name of a secret can end with this word. Cheaper than a verdict, and asked for each
/// ':' and '=' in a text.
pub(super) fn may_end(word: &str) -> bool {
    Head::of(word).is_some()
        || [&PASSWORDS, &SECRETS, &API_KEYS, &FILLERS, &NUMBER, &SIGNATURES]
            .iter()
            .any(|list| is_in(list, word))
        || !word.is_ascii()
}

/// Whether a word is one for a password.
pub(super) fn is_password(word: &str) -> bool {
    is_in(&PASSWORDS, word)
}

/// Every word that a name of something secret or personal can end with.
static HEADS: Shapes = Shapes::of(
    &[
        &PASSWORDS, &SECRETS, &API_KEYS, &BIRTH, &PASSPORTS, &LICENSES, &ACCOUNTS, &NAMES,
        &STREETS, &POSTCODES,
    ],
    &[
        "pass",
        "token",
        "key",
        "keys",
        "authorization",
        "authorisation",
        "auth",
        "bearer",
        "cookie",
        "cookies",
        "phpsessid",
        "sid",
        "jsessionid",
        "csrftoken",
        "xsrftoken",
        "pin",
        "otp",
        "totp",
        "tan",
        "cvv",
        "cvc",
        "csc",
        "code",
        "birth",
        "date",
        "license",
        "licence",
        "account",
        "acct",
        "routing",
        "routingnumber",
        "aba",
        "name",
        "holder",
        "address",
        "adresse",
        "addr",
        "addresses",
        "line",
    ],
);

/// Whether a member of something secret or of an address is neither (`credentials.type`).
pub(super) fn is_aside(name: &str) -> bool {
    words(name).last().is_some_and(|word| is_in(&ASIDE, word))
}

/// The last words of a name.
struct Tail<'n> {
    words: [&'n str; 4],
    /// Whether "number" or the like stood behind them.
    numbered: bool,
}

impl<'n> Tail<'n> {
    fn push(&mut self, word: &'n str) {
        self.words.rotate_left(1);
        if let Some(last) = self.words.last_mut() {
            *last = word;
        }
    }

    /// Drops words behind the one that counts.
    fn trim(&mut self) {
        loop {
            let [.., last] = self.words;
            let number = is_in(&NUMBER, last);
            if !number && !is_in(&FILLERS, last) {
                break;
            }
            self.numbered |= number;
            self.words.rotate_right(1);
            if let Some(first) = self.words.first_mut() {
                *first = "";
            }
        }
    }
}

fn any(rule: Rule) -> Option<Verdict> {
    Some(Verdict { rule, need: Need::Any, deep: true })
}

fn needs(rule: Rule, need: Need) -> Option<Verdict> {
    Some(Verdict { rule, need, deep: false })
}

fn secret(head: &str, second: &str) -> Option<Verdict> {
    if is_in(&PASSWORDS, head) || (!head.is_ascii() && is_wide_password(head)) {
        return any(Rule::Password);
    }
    if is_in(&SECRETS, head) {
        return any(Rule::Secret);
    }
    if is_in(&API_KEYS, head) {
        return any(Rule::ApiKey);
    }
    match Head::of(head)? {
        Head::Pass => {
            needs(Rule::Password, if is_in(&LOGINS, second) { Need::Any } else { Need::Random })
        }
        Head::Token if is_in(&TOKENS_OTHER, second) => None,
        Head::Token if is_in(&TOKENS_SURE, second) => any(Rule::ApiKey),
        Head::Token => needs(Rule::Secret, Need::Random),
        Head::Key if is_in(&KEYS_OTHER, second) => None,
        Head::Key if second.eq_ignore_ascii_case("private") => any(Rule::PrivateKey),
        Head::Key if is_in(&KEYS_SURE, second) => any(Rule::ApiKey),
        Head::Key => needs(Rule::Secret, Need::Random),
        Head::Authorization => any(Rule::AuthHeader),
        Head::Auth => needs(Rule::AuthHeader, Need::Random),
        Head::Cookie => needs(Rule::Cookie, Need::Cookie),
        Head::Session => needs(Rule::Cookie, Need::Random),
        // `connect.sid`; any other can be the name of an account or a message.
        Head::Sid if second.eq_ignore_ascii_case("connect") => needs(Rule::Cookie, Need::Random),
        Head::Sid => None,
        Head::Pin => needs(Rule::Secret, Need::Digits(4, 8)),
        Head::Cvv => needs(Rule::CreditCard, Need::Digits(3, 4)),
        Head::Code => match () {
            () if is_in(&CODES_CARD, second) => needs(Rule::CreditCard, Need::Digits(3, 4)),
            () if is_in(&CODES_SECRET, second) => needs(Rule::Secret, Need::Digits(4, 8)),
            () if is_in(&CODES_POSTAL, second) => needs(Rule::Address, Need::Street),
            () => None,
        },
    }
}

/// Last words that need the one before them.
#[derive(Clone, Copy)]
enum Head {
    Pass,
    Token,
    Key,
    Authorization,
    Auth,
    Cookie,
    Session,
    Sid,
    Pin,
    Cvv,
    Code,
}

impl Head {
    fn of(word: &str) -> Option<Self> {
        const HEADS: &[(&str, Head)] = &[
            ("pass", Head::Pass),
            ("token", Head::Token),
            ("key", Head::Key),
            ("keys", Head::Key),
            ("authorization", Head::Authorization),
            ("authorisation", Head::Authorization),
            ("auth", Head::Auth),
            ("bearer", Head::Auth),
            ("cookie", Head::Cookie),
            ("cookies", Head::Cookie),
            ("sid", Head::Sid),
            ("phpsessid", Head::Session),
            ("jsessionid", Head::Session),
            ("csrftoken", Head::Session),
            ("xsrftoken", Head::Session),
            ("pin", Head::Pin),
            ("otp", Head::Pin),
            ("totp", Head::Pin),
            ("tan", Head::Pin),
            ("cvv", Head::Cvv),
            ("cvc", Head::Cvv),
            ("csc", Head::Cvv),
            ("code", Head::Code),
        ];
        HEADS.iter().find(|(head, _)| head.eq_ignore_ascii_case(word)).map(|(_, head)| *head)
    }
}

fn person(tail: &Tail<'_>, outer: Option<&str>) -> Option<Verdict> {
    let [_, third, second, head] = tail.words;
    let is = |word: &str, lower: &str| word.eq_ignore_ascii_case(lower);
    if is_in(&BIRTH, head)
        || (is(head, "birth") && is(second, "of") && (is(third, "date") || is(third, "day")))
        || (is(head, "date") && is(second, "birth"))
    {
        return needs(Rule::DateOfBirth, Need::Date);
    }
    if is_in(&PASSPORTS, head) {
        return needs(Rule::Passport, Need::Code);
    }
    let license = is(head, "license") || is(head, "licence");
    let driver = is_in(&DRIVERS, second) || (is(second, "s") && is_in(&DRIVERS, third));
    if (license && driver) || is_in(&LICENSES, head) {
        return needs(Rule::DriverLicense, Need::Code);
    }
    let account = is(head, "account") || is(head, "acct");
    if (account && (tail.numbered || is(second, "bank"))) || is_in(&ACCOUNTS, head) {
        return needs(Rule::BankAccount, Need::Digits(6, 17));
    }
    if (is(head, "routing") && tail.numbered) || is(head, "routingnumber") || is(head, "aba") {
        return needs(Rule::AbaRouting, Need::Digits(9, 9));
    }
    if is_in(&NAMES, head)
        || (is(head, "name") && is_in(&NAME_OF, second))
        || (is(head, "name") && second.is_empty() && outer.is_some_and(is_person))
        || (is(head, "holder") && (is(second, "card") || is(second, "account")))
    {
        return needs(Rule::PersonName, Need::Person);
    }
    address(head, second)
}

fn address(head: &str, second: &str) -> Option<Verdict> {
    let is = |word: &str, lower: &str| word.eq_ignore_ascii_case(lower);
    let address = is(head, "address") || is(head, "adresse") || is(head, "addr");
    if address && is_in(&ADDRESS_OF, second) {
        return Some(Verdict { rule: Rule::Address, need: Need::Any, deep: true });
    }
    if (is(head, "address") && second.is_empty()) || is(head, "addresses") && second.is_empty() {
        return Some(Verdict { rule: Rule::Address, need: Need::Street, deep: true });
    }
    let line = is(head, "line") && (is(second, "address") || is(second, "street"));
    if is_in(&STREETS, head) || line {
        return needs(Rule::Address, Need::Any);
    }
    is_in(&POSTCODES, head).then_some(Verdict {
        rule: Rule::Address,
        need: Need::Street,
        deep: false,
    })
}

/// Whether a name is that of a person, whose `name` is one of theirs.
pub(super) fn is_person(outer: &str) -> bool {
    words(outer).last().is_some_and(|word| is_in(&PEOPLE, word))
}

fn is_wide_password(word: &str) -> bool {
    const WIDE: &[&str] = &[
        "contraseña",
        "пароль",
        "密码",
        "密碼",
        "パスワード",
        "비밀번호",
        "lösenord",
        "hasło",
        "şifre",
        "jelszó",
    ];
    let lower = word.to_lowercase();
    WIDE.iter().any(|wide| lower.contains(wide))
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::check;
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [
            &CANCELS,
            &FILLERS,
            &NUMBER,
            &ASIDE,
            &PASSWORDS,
            &SIGNATURES,
            &SECRETS,
            &API_KEYS,
            &LOGINS,
            &TOKENS_OTHER,
            &TOKENS_SURE,
            &KEYS_OTHER,
            &KEYS_SURE,
            &CODES_CARD,
            &CODES_SECRET,
            &CODES_POSTAL,
            &BIRTH,
            &PASSPORTS,
            &DRIVERS,
            &LICENSES,
            &ACCOUNTS,
            &NAMES,
            &NAME_OF,
            &PEOPLE,
            &ADDRESS_OF,
            &STREETS,
            &POSTCODES,
        ] {
            check(list);
        }
    }

    #[test]
    fn the_last_word_decides() {
        let rule = |name| verdict(name, None).map(|v| v.rule);
        let secrets = [
            ("userPassword", Rule::Password),
            ("spring.datasource.password", Rule::Password),
            ("X-Api-Key", Rule::ApiKey),
            ("AWS_SECRET_ACCESS_KEY", Rule::ApiKey),
            ("client_secret", Rule::Secret),
            ("proxy-authorization", Rule::AuthHeader),
            ("cvc", Rule::CreditCard),
            ("dateOfBirth", Rule::DateOfBirth),
            ("driver_licence_no", Rule::DriverLicense),
            ("passport_number", Rule::Passport),
            ("given_name", Rule::PersonName),
            ("shippingAddress", Rule::Address),
            ("postal_code", Rule::Address),
            ("bank_account_number", Rule::BankAccount),
            ("密码", Rule::Password),
        ];
        for (name, expected) in secrets {
            assert_eq!(rule(name), Some(expected), "{name}");
        }
        let others = [
            "max_tokens",
            "tokens",
            "stop_token",
            "tokenizer",
            "tokens_per_second",
            "primary_key",
            "sort_key",
            "pin_memory",
            "ip_version",
            "session_length",
            "cookie_consent",
            "password_reset",
            "has_password",
            "passwordless",
            "monkey",
            "author",
            "secretary",
            "compass",
            "model_name",
            "file_name",
            "tool_name",
            "email_address",
            "ip_address",
            "license",
            "account_age_days",
            "birth_place",
            "name",
        ];
        for name in others {
            assert_eq!(rule(name), None, "{name}");
        }
    }
}
