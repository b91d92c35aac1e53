//! Digests, and which files there are.

use std::io::{self, Read, Seek};

use super::Check;
use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::manifest::Manifest;
use crate::bundle::path::BundlePath;

impl<R: Read + Seek> Check<R> {
    /// Holds the files against the manifest, and against those that there must be.
    pub(super) fn check_files(&mut self) -> io::Result<()> {
        let mut found = Vec::new();
        let listed = &self.manifest.files;
        let is_manifest = |path: &str| BundlePath::parse(path).is_some_and(BundlePath::is_manifest);
        for (path, extent) in self.container.files().filter(|(path, _)| !is_manifest(path)) {
            match listed.get(path) {
                None => found.push((Kind::ChangedFile, path, "the manifest has no digest of it")),
                Some(digest) if *digest != extent.sha256.to_hex() => {
                    found.push((Kind::ChangedFile, path, "its digest is not the manifest's"));
                }
                Some(_) if !self.is_expected(path) => {
                    let detail = "the range and the checkpoint ask for no such file";
                    found.push((Kind::UnexpectedFile, path, detail));
                }
                Some(_) => {}
            }
        }
        // Both are sorted, but a look-up costs little and says it more plainly.
        for path in listed.keys() {
            let is_here =
                BundlePath::parse(path).is_some_and(|known| self.container.extent(known).is_some());
            if !is_here {
                found.push((Kind::MissingFile, path, "the manifest names it, and it is not here"));
            }
        }
        let found: Vec<BundleFinding> = found
            .into_iter()
            .map(|(kind, path, detail)| BundleFinding::file(kind, path, detail))
            .collect();
        found.into_iter().for_each(|finding| self.findings.push(finding));
        for path in BundlePath::ALWAYS {
            self.must_be_here(path);
        }
        let (leaves, edge, paths) = (self.layout.leaves(), self.layout.edge(), self.layout.paths());
        leaves.for_each(|tile| self.must_be_here(BundlePath::Leaves(tile)));
        edge.chain(paths).for_each(|tile| self.must_be_here(BundlePath::Tile(tile)));
        self.check_manifest_digest()
    }

    /// The digest that the manifest cannot have of itself.
    fn check_manifest_digest(&mut self) -> io::Result<()> {
        let path = BundlePath::ManifestDigest;
        let manifest = self.container.extent(BundlePath::Manifest);
        if let (Some(line), Some(manifest)) = (self.container.read(path)?, manifest)
            && line != Manifest::digest_line(&manifest.sha256).as_bytes()
        {
            self.file(Kind::ChangedFile, path, "it is not the digest of manifest.json");
        }
        Ok(())
    }

    /// A finding for a file that is not there, unless the manifest names it: then that was said.
    pub(super) fn must_be_here(&mut self, path: BundlePath) {
        let is_listed = self.manifest.files.contains_key(&path.to_string());
        if !is_listed && self.container.extent(path).is_none() {
            self.file(Kind::MissingFile, path, "it must be in every such bundle, and is not here");
        }
    }

    /// Whether the range or the checkpoint ask for a file. Receipts are judged where their entries are.
    fn is_expected(&self, path: &str) -> bool {
        match BundlePath::parse(path) {
            Some(BundlePath::Tile(tile)) => self.layout.has_tile(tile),
            Some(BundlePath::Leaves(tile)) => self.layout.has_leaves(tile),
            _ => true,
        }
    }
}
