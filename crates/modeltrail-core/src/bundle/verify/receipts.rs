//! Receipts: each leads to the bundle's own checkpoint.

use std::io::{self, Read, Seek};

use super::Check;
use super::checkpoint::Signed;
use crate::anchor::Head;
use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::leaf::{LEAF_BYTES, Leaf, leaf_hash, origin_prev};
use crate::merkle::verify_inclusion;
use crate::receipt::Receipt;

impl<R: Read + Seek> Check<R> {
    /// The leaf that an entry's receipt holds, if the receipt holds and is byte for byte what it must be;
    /// `None` also where there is none, which is a finding too.
    pub(super) fn check_receipt(
        &mut self,
        index: u64,
        signed: &Signed,
    ) -> io::Result<Option<[u8; LEAF_BYTES]>> {
        let path = BundlePath::Proof(index);
        let Some(bytes) = self.container.read(path)? else {
            self.must_be_here(path);
            return Ok(None);
        };
        // Under a checkpoint that is none nothing is proven, which was said.
        let Some(checkpoint) = &signed.checkpoint else { return Ok(None) };
        let holds = || {
            let receipt = Receipt::parse(&bytes).map_err(|error| error.to_string())?;
            if !bytes.ends_with(&signed.bytes) || receipt.checkpoint != *checkpoint {
                return Err("its checkpoint is not the bundle's".to_owned());
            }
            if receipt.index != index {
                return Err(format!("it is for entry {}", receipt.index));
            }
            if receipt.to_string().as_bytes() != bytes {
                return Err("it is not written as receipts are".to_owned());
            }
            let leaf = receipt.extra.and_then(|extra| extra.try_into().ok());
            let leaf: [u8; LEAF_BYTES] = leaf.ok_or("it holds no leaf of 122 bytes")?;
            let origin = &self.manifest.origin;
            let is_begun = |leaf: &Leaf| leaf.index != 0 || leaf.prev == origin_prev(origin);
            if !Leaf::decode(&leaf).is_ok_and(|leaf| leaf.index == index && is_begun(&leaf)) {
                return Err("its leaf is none of this index, or begins another ledger".to_owned());
            }
            let head = Head { size: self.manifest.checkpoint.size, root: self.root };
            let proven = verify_inclusion(&leaf_hash(&leaf), index, &receipt.proof, &head);
            proven.map(|()| leaf).map_err(|error| error.to_string())
        };
        match holds() {
            Ok(leaf) => {
                self.report.n_receipts += 1;
                Ok(Some(leaf))
            }
            Err(detail) => {
                self.findings.push(BundleFinding::file(Kind::BadReceipt, path, detail).at(index));
                Ok(None)
            }
        }
    }
}
