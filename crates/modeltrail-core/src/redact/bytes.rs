//! Parts that are bytes: text as text, and of other bytes each run that is UTF-8.

use super::leaf::{self, Patch};
use super::{Counts, PartPlace, RedactError, Redactor, detector, settled};

impl Redactor {
    /// Masks a part of a record that is bytes. Text is read as text; of other bytes each run that is
    /// UTF-8 is, and what lies between stays. `None` when nothing was found.
    ///
    /// # Errors
    ///
    /// [`RedactError::NotSettled`], [`RedactError::Detector`].
    pub fn redact_bytes_part(
        &self,
        place: &PartPlace<'_>,
        bytes: &[u8],
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        let is_denied = || self.under(place, |order| order.deny().is_some());
        if let Some(text) = std::str::from_utf8(bytes)
            .ok()
            .map(str::to_owned)
            .or_else(|| is_denied().then(|| String::from_utf8_lossy(bytes).into_owned()))
        {
            let masked = self.redact_text_part(place, &text)?;
            return Ok(masked.map(|(text, counts)| (text.into_bytes(), counts)));
        }
        self.under(place, |order| {
            let (mut texts, mut counts) = (Vec::new(), Counts::default());
            for chunk in bytes.utf8_chunks() {
                let (patches, kept) = settled(order, chunk.valid(), None)?;
                let whats = patches.iter().flat_map(Patch::whats).chain(kept);
                whats.for_each(|what| order.count(what, &mut counts));
                texts.push(leaf::apply(chunk.valid(), &patches));
            }
            if let Some(recogniser) = self.detector.as_deref() {
                let found = detector::redact_texts(recogniser, order, &texts, &mut counts)?;
                for (n, text) in found {
                    let (patches, _) = settled(order, &text, None)?;
                    let whats = patches.iter().flat_map(Patch::whats);
                    whats.for_each(|what| order.count(what, &mut counts));
                    if let Some(slot) = texts.get_mut(n) {
                        *slot = leaf::apply(&text, &patches);
                    }
                }
            }
            if counts.is_empty() {
                return Ok(None);
            }
            let mut out = Vec::with_capacity(bytes.len());
            for (chunk, text) in bytes.utf8_chunks().zip(texts) {
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(chunk.invalid());
            }
            Ok(Some((out, counts)))
        })
    }
}
