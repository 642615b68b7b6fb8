use std::convert::Infallible;

use aws_lc_rs::digest::{SHA256, digest};
use tlog_tiles::{Hash, check_record, record_hash};

use super::*;

/// RFC 6962, section 2.1, written down as it stands there.
fn merkle_tree_hash(leaves: &[Vec<u8>]) -> [u8; 32] {
    let sha256 = |parts: &[&[u8]]| digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap();
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf]),
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(k);
            sha256(&[&[1], &merkle_tree_hash(left), &merkle_tree_hash(right)])
        }
    }
}

fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("entry {n}").into_bytes()).collect()
}

#[test]
fn roots_are_those_of_rfc_6962() {
    let leaves = leaves(600);
    let mut tree = Tree::default();
    for size in 0..=600 {
        assert_eq!(tree.root().unwrap().0, merkle_tree_hash(&leaves[..size]));
        if size < 600 {
            tree.push(record_hash(&leaves[size]));
            tree.trim();
        }
    }
}

#[test]
fn every_proof_leads_to_the_root() {
    let leaves = leaves(300);
    for size in 1..=300_usize {
        let mut tree = Tree::default();
        leaves[..size].iter().for_each(|leaf| tree.push(record_hash(leaf)));
        let root = Hash(merkle_tree_hash(&leaves[..size]));
        let proofs = tree.proofs(0).unwrap();
        assert_eq!(proofs.len(), size);
        for (index, proof) in proofs.iter().enumerate() {
            let leaf = record_hash(&leaves[index]);
            check_record(proof, size as u64, root, index as u64, leaf).unwrap();
        }
    }
}

/// Batches of all sizes, over the first tile of level 1 (256) and of level 2 (65,536), with the
/// tree trimmed after each, as the writer does it.
#[test]
fn proofs_of_the_newest_batch_need_only_the_right_edge() {
    let mut tree = Tree::default();
    let mut next = [1_u64, 255, 256, 7, 1024, 300].into_iter().cycle();
    while tree.size() < 66_000 {
        let first = tree.size();
        let batch = next.next().unwrap();
        (first..first + batch).for_each(|n| tree.push(record_hash(&n.to_be_bytes())));
        let root = tree.root().unwrap();
        let proofs = tree.proofs(first).unwrap();
        for (index, proof) in (first..).zip(&proofs).step_by(17) {
            let leaf = record_hash(&index.to_be_bytes());
            check_record(proof, tree.size(), root, index, leaf).unwrap();
        }
        tree.trim();
        let kept: usize = tree.levels.iter().map(|level| level.nodes.len()).sum();
        assert!(kept <= 3 * 511, "{kept} hashes kept at {}", tree.size());
    }
}

#[test]
fn a_tree_is_restored_from_its_rightmost_tiles() {
    let mut whole = Tree::default();
    for size in 0..66_000_u64 {
        let edge = [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, 65_999];
        if edge.contains(&size) {
            let read = |level, index, width| {
                let bytes = whole.tile(level, index, width).unwrap();
                Ok::<_, Infallible>(bytes.as_chunks().0.iter().copied().map(Hash).collect())
            };
            let mut restored = Tree::restore(size, read).unwrap();
            assert_eq!(restored.root().unwrap(), whole.root().unwrap(), "{size}");
            let mut grown = whole.clone();
            for n in 0..300_u64 {
                restored.push(record_hash(&n.to_be_bytes()));
                grown.push(record_hash(&n.to_be_bytes()));
            }
            assert_eq!(restored.root().unwrap(), grown.root().unwrap(), "{size}");
            assert_eq!(restored.proofs(size).unwrap(), grown.proofs(size).unwrap());
        }
        whole.push(record_hash(&size.to_be_bytes()));
    }
}

#[test]
fn what_was_trimmed_is_missed_by_name() {
    let mut tree = Tree::default();
    (0..256_u64).for_each(|n| tree.push(record_hash(&n.to_be_bytes())));
    tree.trim();
    let missing = tree.proofs(0).unwrap_err();
    assert_eq!((missing.level, missing.index), (0, 255));
}
