//! Scores the redactor against labelled cases and prints precision and recall per type and tier.

#[cfg(test)]
mod score;

#[cfg(test)]
mod bounds {
    use std::path::Path;

    use crate::score::{Board, print, score, share};

    #[test]
    fn own_cases_are_told_apart() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/redaction.jsonl");
        let board = score(&std::fs::read_to_string(path).unwrap());
        print(&board, "own cases");
        hold(&board, "own cases");
    }

    #[test]
    fn the_shared_sample_is_told_apart() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pii-dev.jsonl");
        let named = std::env::var_os("MODELTRAIL_PII_CASES").map(std::path::PathBuf::from);
        let path = named.unwrap_or(path);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!(
                "skipped: no labelled sample beside the project (MODELTRAIL_PII_CASES names another)"
            );
            return;
        };
        let board = score(&text);
        print(&board, "the shared sample");
        hold(&board, "the shared sample");
    }

    /// The bounds that the redactor is held to.
    fn hold(board: &Board, what: &str) {
        for (tier, recall, precision) in
            [("core", 0.98, 0.98), ("extended", 0.95, 0.0), ("hard", 0.85, 0.0)]
        {
            let Some(score) = board.tiers.get(tier) else { continue };
            assert!(
                score.recall() >= recall,
                "{what}, {tier}: recall {:.3}\n{}",
                score.recall(),
                board.misses
            );
            assert!(
                score.precision() >= precision,
                "{what}, {tier}: precision {:.3}\n{}",
                score.precision(),
                board.misses
            );
        }
        let (negatives, untouched) = board
            .tiers
            .values()
            .fold((0, 0), |(n, u), score| (n + score.negatives, u + score.untouched));
        assert!(
            share(untouched, negatives) >= 0.98,
            "{what}: {untouched} of {negatives} untouched\n{}",
            board.misses
        );
    }
}
