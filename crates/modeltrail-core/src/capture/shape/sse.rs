//! Server-sent events (WHATWG HTML, 9.2.6): the lines of a body as events.

/// Fields of a line.
const DATA: &str = "data";
const EVENT: &str = "event";

/// An event with its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Event {
    /// What `event:` said; empty where it said nothing.
    pub(super) name: String,
    /// The lines of data, with a line feed between them.
    pub(super) data: String,
}

/// A stream that was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Events {
    pub(super) events: Vec<Event>,
    /// True where the last event has no end: the stream broke off in it. What there was of it is not among the events
    /// where the body was cut here, and is where it ended by itself.
    pub(super) is_open: bool,
}

impl Events {
    /// How many there are.
    pub(super) fn n_events(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }
}

/// Reads a body; `None` where it is no UTF-8.
pub(super) fn read(bytes: &[u8], is_whole: bool) -> Option<Events> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut read = Events::default();
    let (mut name, mut data) = (String::new(), None::<String>);
    while let Some(end) = text.find(['\r', '\n']) {
        let (line, rest) = text.split_at(end);
        text = rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        if line.is_empty() {
            let event_name = std::mem::take(&mut name);
            if let Some(data) = data.take() {
                read.events.push(Event { name: event_name, data });
            }
        } else {
            take_line(line, &mut name, &mut data);
        }
    }
    // A last line without an end, and an event without an empty line behind it.
    if is_whole {
        take_line(text, &mut name, &mut data);
    }
    if let Some(data) = data {
        read.is_open = true;
        if is_whole {
            read.events.push(Event { name, data });
        }
    }
    read.is_open |= !is_whole;
    Some(read)
}

fn take_line(line: &str, name: &mut String, data: &mut Option<String>) {
    let (field, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.strip_prefix(' ').unwrap_or(value);
    match field {
        DATA => match data {
            None => *data = Some(value.to_owned()),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        },
        EVENT => value.clone_into(name),
        // Comments, ids and retry times are no part of an answer.
        _ => {}
    }
}
