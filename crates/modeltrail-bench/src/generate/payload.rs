//! Inputs and outputs of the three families of models.

use super::personal;
use super::words::{
    CATEGORIES, CHANNELS, CITIES, CURRENCIES, DEVICES, FIRST_NAMES, LANGUAGES, LAST_NAMES,
    SYSTEM_PROMPTS, Words, push_word,
};
use super::write::{decimal, whole};
use crate::random::Rng;

/// What a model is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// Fraud scoring of a card payment: a flat object with a feature vector.
    Fraud,
    /// Sentiment of a short text.
    Sentiment,
    /// A chat assistant with prompts of 1 to 4 KB.
    Chat,
}

impl Family {
    /// 55 %, 30 % and 15 %.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..55 => Self::Fraud,
            55..85 => Self::Sentiment,
            _ => Self::Chat,
        }
    }

    pub(super) const fn model_name(self) -> &'static str {
        match self {
            Self::Fraud => "fraud_detector",
            Self::Sentiment => "sentiment_classifier",
            Self::Chat => "support_assistant",
        }
    }

    /// The versions that followed one another, each for a third of the time.
    pub(super) const fn versions(self) -> [&'static str; 3] {
        match self {
            Self::Fraud => ["v3.2.0", "v3.2.1", "v3.3.0"],
            Self::Sentiment => ["v2.1.0", "v2.1.0", "v2.2.0"],
            Self::Chat => ["2026-02-11", "2026-04-30", "2026-04-30"],
        }
    }

    pub(super) const fn endpoint(self) -> &'static str {
        match self {
            Self::Fraud => "/v1/fraud/score",
            Self::Sentiment => "/v1/sentiment",
            Self::Chat => "/v1/chat/completions",
        }
    }

    pub(super) const fn preprocessing(self) -> [&'static str; 2] {
        match self {
            Self::Fraud => ["scale-0.9.1", "41d7a90c3be2f6d8"],
            Self::Sentiment | Self::Chat => ["tok-1.4.2", "9f2c4d1be07a55aa"],
        }
    }

    /// Medians of 8 ms, 15 ms and 0.9 s.
    pub(super) fn latency_ms(self, rng: &mut Rng) -> f64 {
        match self {
            Self::Fraud => rng.lognormal(2.1, 0.5),
            Self::Sentiment => rng.lognormal(2.7, 0.4),
            Self::Chat => rng.lognormal(6.8, 0.5),
        }
    }

    /// `personal_share`: how many of the inputs have personal data.
    pub(super) fn input(self, words: &Words, rng: &mut Rng, out: &mut String, personal_share: f64) {
        let personal = rng.chance(personal_share);
        match self {
            Self::Fraud => fraud_input(rng, out, personal),
            Self::Sentiment => sentiment_input(words, rng, out, personal),
            Self::Chat => chat_input(words, rng, out, personal),
        }
    }

    pub(super) fn output(self, words: &Words, rng: &mut Rng, out: &mut String) {
        match self {
            Self::Fraud => fraud_output(rng, out),
            Self::Sentiment => sentiment_output(rng, out),
            Self::Chat => chat_output(words, rng, out),
        }
    }
}

fn number(out: &mut String, name: &str, n: u64) {
    out.push_str(name);
    whole(out, n);
}

fn text(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push('"');
    out.push_str(value);
    out.push('"');
}

fn fraud_input(rng: &mut Rng, out: &mut String, personal: bool) {
    number(out, "{\"transaction_id\":", rng.below(1 << 50));
    out.push_str(",\"transaction_amount\":");
    decimal(out, rng.lognormal(4.0, 1.3), 2);
    text(out, ",\"currency\":", rng.pick(CURRENCIES));
    text(out, ",\"merchant_category\":", rng.pick(CATEGORIES));
    // Few merchants have most of the sales.
    number(out, ",\"merchant_id\":\"m_", (1e5 * rng.unit().powi(3)) as u64);
    number(out, "\",\"hour\":", rng.below(24));
    text(out, ",\"country\":", rng.pick(CITIES));
    text(out, ",\"device\":", rng.pick(DEVICES));
    out.push_str(",\"card_present\":");
    out.push_str(if rng.chance(0.4) { "true" } else { "false" });
    number(out, ",\"prev_declines\":", rng.exponential(0.67));
    number(out, ",\"account_age_days\":", rng.below(4000));
    number(out, ",\"velocity\":{\"1h\":", rng.exponential(1.25));
    number(out, ",\"24h\":", rng.exponential(5.0));
    number(out, ",\"7d\":", rng.exponential(20.0));
    out.push_str("},\"features\":[");
    for i in 0..12 {
        if i > 0 {
            out.push(',');
        }
        decimal(out, rng.normal(), 5);
    }
    out.push_str("],\"email_domain_age\":null");
    if personal {
        fraud_personal(rng, out);
    }
    out.push('}');
}

/// Personal data where walkers of dictionaries miss it: nested, in a list, as a bare number, as a
/// key.
fn fraud_personal(rng: &mut Rng, out: &mut String) {
    match rng.below(4) {
        0 => {
            out.push_str(",\"customer\":{\"contact\":{\"primary\":\"");
            personal::any(rng, out);
            out.push_str("\"}}");
        }
        1 => {
            out.push_str(",\"contacts\":[\"");
            personal::any(rng, out);
            out.push_str("\",{\"alt\":\"");
            personal::any(rng, out);
            out.push_str("\"}]");
        }
        2 => number(out, ",\"card_number\":", personal::card_number(rng)),
        _ => {
            out.push_str(",\"by_contact\":{\"");
            personal::any(rng, out);
            number(out, "\":", rng.below(9));
            out.push('}');
        }
    }
}

fn sentiment_input(words: &Words, rng: &mut Rng, out: &mut String, personal: bool) {
    out.push_str("{\"text\":\"");
    let n_words = 6 + rng.exponential(32.0);
    words.prose(rng, out, n_words);
    if personal {
        out.push_str(" Contact me: ");
        personal::any(rng, out);
        out.push('.');
    }
    text(out, "\",\"lang\":", rng.pick(LANGUAGES));
    text(out, ",\"channel\":", rng.pick(CHANNELS));
    out.push('}');
}

fn chat_input(words: &Words, rng: &mut Rng, out: &mut String, personal: bool) {
    // 170 to 680 words: 1 to 4 KB.
    let n_words = (170.0 * 4_f64.powf(rng.unit())) as u64;
    let n_turns = [1, 1, 2, 3].get(rng.index(4)).copied().unwrap_or(1);
    text(out, "{\"messages\":[{\"role\":\"system\",\"content\":", rng.pick(SYSTEM_PROMPTS));
    for turn in 1..=n_turns {
        out.push_str("},{\"role\":\"user\",\"content\":\"");
        if personal && turn == n_turns {
            chat_personal(rng, out);
        }
        words.prose(rng, out, (n_words / n_turns).max(8));
        if turn < n_turns {
            out.push_str("\"},{\"role\":\"assistant\",\"content\":\"");
            let n_words = 20 + rng.exponential(60.0);
            words.prose(rng, out, n_words);
        }
        out.push('"');
    }
    out.push_str("}],\"temperature\":");
    out.push_str(rng.pick(&["0.0", "0.2", "0.7"]));
    out.push_str(",\"max_tokens\":");
    out.push_str(rng.pick(&["256", "512", "1024"]));
    number(out, ",\"seed\":", rng.below(1 << 31));
    out.push('}');
}

fn chat_personal(rng: &mut Rng, out: &mut String) {
    out.push_str("My name is ");
    push_word(out, rng.pick(FIRST_NAMES), true);
    out.push(' ');
    push_word(out, rng.pick(LAST_NAMES), true);
    out.push_str(", reach me at ");
    personal::any(rng, out);
    out.push_str(" or ");
    personal::any(rng, out);
    out.push_str(". ");
}

fn fraud_output(rng: &mut Rng, out: &mut String) {
    let risk = rng.beta(0.4, 4.0);
    let prediction = match risk {
        r if r > 0.6 => "fraud",
        r if r > 0.35 => "review",
        _ => "legitimate",
    };
    text(out, "{\"prediction\":", prediction);
    out.push_str(",\"confidence\":");
    decimal(out, risk.max(1.0 - risk), 4);
    out.push_str(",\"risk_score\":");
    decimal(out, risk, 4);
    out.push('}');
}

fn sentiment_output(rng: &mut Rng, out: &mut String) {
    let label = match rng.below(100) {
        0..55 => "positive",
        55..80 => "negative",
        _ => "neutral",
    };
    text(out, "{\"label\":", label);
    out.push_str(",\"score\":");
    decimal(out, 0.5 + 0.5 * rng.unit(), 4);
    out.push('}');
}

fn chat_output(words: &Words, rng: &mut Rng, out: &mut String) {
    let n_words = 15 + rng.exponential(110.0);
    text(out, "{\"label\":", rng.pick(&["answer", "answer", "handoff", "refusal"]));
    out.push_str(",\"text\":\"");
    words.prose(rng, out, n_words);
    text(out, "\",\"finish_reason\":", rng.pick(&["stop", "stop", "stop", "length"]));
    number(out, ",\"usage\":{\"prompt_tokens\":", 250 + rng.below(1150));
    number(out, ",\"completion_tokens\":", n_words * 7 / 5);
    out.push_str("}}");
}
