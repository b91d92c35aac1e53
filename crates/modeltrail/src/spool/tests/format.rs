//! The bytes on disk, written out by hand.

use super::super::format::*;

fn header() -> SegmentHeader {
    SegmentHeader {
        tag: [1; 16],
        producer: [2; 16],
        segment_no: 3,
        first_seq: 4,
        origin: [5; 32],
        key: [6; 32],
        created_us: 7,
        size_bytes: 8192,
    }
}

#[test]
fn header_is_as_the_spec_says() {
    let bytes = header().encode();
    let mut copy = Vec::new();
    copy.extend(b"mtspool\n\x00\x01\0\0\0\0\0\0");
    copy.extend([1; 16]);
    copy.extend([2; 16]);
    copy.extend(3_u64.to_be_bytes());
    copy.extend(4_u64.to_be_bytes());
    copy.extend([5; 32]);
    copy.extend([6; 32]);
    copy.extend(7_u64.to_be_bytes());
    copy.extend(8192_u64.to_be_bytes());
    copy.resize(508, 0);
    copy.extend(crc32c::crc32c(&copy).to_be_bytes());
    let mut expected = copy.clone();
    expected.resize(2048, 0);
    expected.extend(&copy);
    expected.resize(4096, 0);
    assert_eq!(bytes, expected);
    assert_eq!(decode_head(&bytes), Head::Segment(header()));
}

#[test]
fn either_copy_of_the_header_is_enough_and_zero_is_free() {
    let whole = header().encode();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert_eq!(decode_head(&bytes), Head::Segment(header()), "flip at {at}");
    }
    let mut both = whole.clone();
    both[20] ^= 1;
    both[2048 + 100] ^= 1;
    assert_eq!(decode_head(&both), Head::Broken);
    assert_eq!(decode_head(&[0; 4096]), Head::Zero);
    assert_eq!(decode_head(&[]), Head::Zero);
    assert_eq!(decode_head(&whole[..600]), Head::Segment(header()));
    assert_eq!(decode_head(&whole[..500]), Head::Broken);
}

#[test]
fn slot_is_as_the_spec_says() {
    let mut slots = Vec::new();
    push_slot(&mut slots, 9, 10, b"plain");
    assert_eq!(slots.len(), 64);
    assert_eq!(seal_slots(&mut slots, &header(), 4096, 8), 10);

    let mut cipher = b"plain".to_vec();
    apply_keystream(&[6; 32], 4096, &mut cipher);
    assert_ne!(cipher, b"plain");
    let mut expected = vec![0x6d, 0x74, 0, 1, 0, 0, 0, 5];
    expected.extend(9_u64.to_be_bytes());
    expected.extend(10_u64.to_be_bytes());
    let with_tag = |bytes: &[u8]| crc32c::crc32c(&[&[1; 16], bytes].concat());
    expected.extend(with_tag(&expected).to_be_bytes());
    expected.extend(with_tag(&[&expected[..], &cipher].concat()).to_be_bytes());
    expected.extend(&cipher);
    expected.resize(64, 0);
    assert_eq!(slots, expected);

    let slot = SlotHeader::decode(&slots, &[1; 16]).unwrap();
    assert_eq!((slot.seq, slot.time_us, slot.n_bytes, slot.durable_below()), (9, 10, 5, 8));
    assert!(slot.is_whole(&slots, &[1; 16]));
    assert_eq!(SlotHeader::decode(&slots, &[9; 16]), None);
}

#[test]
fn every_flip_in_a_slot_is_seen() {
    let mut slots = Vec::new();
    push_slot(&mut slots, 1, 2, &[0x55; 100]);
    seal_slots(&mut slots, &header(), 4096, 0);
    let covered = SLOT_HEADER_BYTES + 100;
    for bit in 0..covered * 8 {
        let mut bytes = slots.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let whole = SlotHeader::decode(&bytes, &[1; 16])
            .is_some_and(|slot| slot.is_whole(&bytes, &[1; 16]));
        assert!(!whole, "flip of bit {bit}");
    }
}

#[test]
fn keystream_is_chacha20_of_rfc_8439() {
    // RFC 8439, section 2.4.2, shifted to block counter 0: A.1 test vector 1 (zero key, nonce 0).
    let mut stream = [0; 32];
    apply_keystream(&[0; 32], 0, &mut stream);
    let expected = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7";
    assert_eq!(super::super::names::hex(&stream), expected);
    // A.1 test vector 5: the nonce's last byte is 2.
    apply_keystream(&[0; 32], 2, stream.as_mut_slice());
    let mut second = [0; 32];
    apply_keystream(&[0; 32], 2, &mut second);
    let expected = "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7";
    assert_eq!(super::super::names::hex(&second), expected);
}

#[test]
fn sealing_again_after_unsealing_gives_the_frames_back() {
    let mut slots = Vec::new();
    for seq in 0..5 {
        push_slot(&mut slots, seq, 2, &vec![seq as u8; 40 * seq as usize]);
    }
    let plain = slots.clone();
    seal_slots(&mut slots, &header(), 4096, 0);
    unseal_slots(&mut slots, &header(), 4096);
    let other = SegmentHeader { tag: [9; 16], key: [8; 32], ..header() };
    seal_slots(&mut slots, &other, 4096, 0);
    let mut direct = plain;
    seal_slots(&mut direct, &other, 4096, 0);
    assert_eq!(slots, direct);
}

#[test]
fn fitting_takes_whole_slots_only() {
    let mut slots = Vec::new();
    for seq in 0..4 {
        push_slot(&mut slots, seq, 0, &[1; 33]);
    }
    let one = slot_bytes(33);
    assert_eq!(one, 96);
    assert_eq!(fitting_bytes(&slots, 0), 0);
    assert_eq!(fitting_bytes(&slots, one - 1), 0);
    assert_eq!(fitting_bytes(&slots, one), one);
    assert_eq!(fitting_bytes(&slots, 3 * one + 95), 3 * one);
    assert_eq!(fitting_bytes(&slots, 1000), 4 * one);
}

#[test]
fn ack_is_read_back_only_whole_and_by_its_producer() {
    let bytes = encode_ack(&[3; 16], 77);
    assert_eq!(bytes.len(), ACK_BYTES);
    assert_eq!(decode_ack(&bytes, &[3; 16]), Some(77));
    assert_eq!(decode_ack(&bytes, &[4; 16]), None);
    for at in 0..bytes.len() {
        let mut torn = bytes.clone();
        torn[at] ^= 4;
        assert_eq!(decode_ack(&torn, &[3; 16]), None);
    }
    assert_eq!(decode_ack(&bytes[..35], &[3; 16]), None);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(bytes: Vec<u8>, tag: [u8; 16]) {
        decode_head(&bytes);
        decode_ack(&bytes, &tag);
        if let Some(slot) = SlotHeader::decode(&bytes, &tag) {
            slot.is_whole(&bytes, &tag);
        }
        fitting_bytes(&bytes, 100);
    }

    #[test]
    fn names_read_back(id: [u8; 16], no: u64, text: String) {
        use super::super::names::{self, Name};
        proptest::prop_assert_eq!(Name::parse(&names::segment(&id, no)), Name::Segment(id, no));
        proptest::prop_assert_eq!(Name::parse(&names::lock(&id)), Name::Lock(id));
        proptest::prop_assert_eq!(Name::parse(&names::ack(&id)), Name::Other);
        Name::parse(&text);
    }
}
