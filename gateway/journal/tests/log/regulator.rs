//! A regulator's view: a mirror that follows, one that is lied to, and the re-check of everything.

use std::fs;
use std::path::Path;

use gateway_journal::{Audit, Folder, Mirror, MirrorError, Trust, VerifierKey, Witnesses, audit};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::mirror::{Setting, append_all, append_at};

fn public(setting: &Setting) -> VerifierKey {
    setting.key().verifier().clone()
}

fn mirror(setting: &Setting, at: &Path) -> Mirror {
    Mirror::open(at, public(setting), Witnesses::default()).unwrap()
}

fn published(setting: &Setting) -> Folder {
    Folder::open(setting.path()).unwrap()
}

fn recheck(at: &Path, key: &VerifierKey) -> Result<Audit, MirrorError> {
    let trust = Trust { key: key.clone(), witnesses: Witnesses::default(), authority: None };
    audit(&Folder::open(at).unwrap(), &trust, |_, _| {})
}

/// Publishes entries `numbers`, in a life of the log of its own.
fn publish(setting: &Setting, numbers: std::ops::Range<usize>) {
    Runtime::new().unwrap().block_on(async {
        let log = setting.open().await;
        append_all(&log, numbers).await;
        log.shutdown().await.unwrap();
    });
}

fn follow(mirror: &mut Mirror, setting: &Setting) -> Result<(u64, u64), MirrorError> {
    mirror.follow(&published(setting), |_, _| {}).map(|followed| (followed.before, followed.now))
}

#[test]
fn a_mirror_follows_a_log_and_is_byte_for_byte_the_same() {
    let (setting, copy) = (Setting::new(), TempDir::new().unwrap());
    let mut size = 0;
    // Within a bundle, to its border, over it, over several.
    for more in [0, 1, 200, 55, 1, 300, 700] {
        publish(&setting, size..size + more);
        let mut mirror = mirror(&setting, copy.path());
        let (before, now) = follow(&mut mirror, &setting).unwrap();
        assert_eq!((before, now), (size as u64, (size + more) as u64));
        assert_eq!(follow(&mut mirror, &setting).unwrap(), (now, now), "nothing new");
        size += more;
        let found = recheck(copy.path(), &public(&setting)).unwrap();
        assert_eq!(found, recheck(setting.path(), &public(&setting)).unwrap());
        assert_eq!((found.entries, found.kinds.get("exchange").copied().unwrap_or(0)), (now, now));
    }
    for file in ["checkpoint", "tile/0/000", "tile/entries/003", "tile/0/004.p/233"] {
        let read = |root: &Path| fs::read(root.join(file)).unwrap();
        assert!(read(copy.path()) == read(setting.path()), "{file}");
    }
}

#[test]
fn a_log_that_shows_less_than_before_is_caught_and_the_proof_is_kept() {
    let (setting, copy) = (Setting::new(), TempDir::new().unwrap());
    publish(&setting, 0..300);
    let restored = setting.copy();
    publish(&setting, 300..310);
    let mut mirror = mirror(&setting, copy.path());
    follow(&mut mirror, &setting).unwrap();
    let error = follow(&mut mirror, &restored).unwrap_err();
    let MirrorError::Rollback { mirrored: 310, offered: 300, kept } = &error else {
        panic!("{error}");
    };
    assert!(error.is_misbehavior());
    let both = ["mirrored", "offered"].map(|name| fs::read(kept.join(name)).unwrap());
    for (note, size) in both.iter().zip([310, 300]) {
        assert_eq!(public(&setting).open_cosigned(note).unwrap().size(), size);
    }
    assert_eq!(follow(&mut mirror, &setting).unwrap(), (310, 310), "the mirror is as it was");
}

#[test]
fn two_histories_of_one_log_are_caught_whichever_is_longer() {
    for (one, other) in [(310, 320), (320, 310), (310, 310)] {
        let (setting, copy) = (Setting::new(), TempDir::new().unwrap());
        publish(&setting, 0..300);
        let forked = setting.copy();
        publish(&setting, 1000..1000 + one - 300);
        publish(&forked, 2000..2000 + other - 300);
        let mut mirror = mirror(&setting, copy.path());
        follow(&mut mirror, &setting).unwrap();
        let error = follow(&mut mirror, &forked).unwrap_err();
        assert!(matches!(error, MirrorError::SplitView { .. }), "{one} {other}: {error}");

        let seen = |setting: &Setting| fs::read(setting.path().join("checkpoint")).unwrap();
        assert!(mirror.compare(&seen(&setting)).unwrap());
        match mirror.compare(&seen(&forked)) {
            Ok(ahead) => assert!(!ahead && other > one),
            Err(error) => assert!(error.is_misbehavior() && other <= one, "{error}"),
        }
    }
}

#[test]
fn a_mirror_takes_in_nothing_that_was_changed() {
    let setting = Setting::new();
    publish(&setting, 0..600);
    for file in ["tile/entries/000", "tile/entries/002.p/88", "tile/0/001", "tile/1/000.p/2"] {
        let changed = setting.copy();
        let path = changed.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let copy = TempDir::new().unwrap();
        let error = follow(&mut mirror(&setting, copy.path()), &changed).unwrap_err();
        assert!(matches!(error, MirrorError::Read(_)), "{file}: {error}");
        assert!(!copy.path().join("checkpoint").exists());
        let mut again = mirror(&setting, copy.path());
        assert_eq!(follow(&mut again, &setting).unwrap(), (0, 600), "{file}: goes on when mended");
    }
}

#[test]
fn the_re_check_finds_any_change_in_any_file() {
    let setting = Setting::new();
    publish(&setting, 0..520);
    let key = public(&setting);
    assert_eq!(recheck(setting.path(), &key).unwrap().objects, 2 + 2 + 3);
    let mut files = Vec::new();
    list(setting.path(), &mut files);
    let published = files.iter().filter(|file| !file.contains("wal/") && *file != "lock");
    for file in published {
        let length = fs::metadata(setting.path().join(file)).unwrap().len() as usize;
        for at in [0, 1, length / 3, length - 1] {
            let changed = setting.copy();
            let path = changed.path().join(file);
            let mut bytes = fs::read(&path).unwrap();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(recheck(changed.path(), &key).is_err(), "{file} at {at}");
        }
        let missing = setting.copy();
        fs::remove_file(missing.path().join(file)).unwrap();
        assert!(recheck(missing.path(), &key).is_err(), "{file} is missing");
    }
}

fn list(folder: &Path, files: &mut Vec<String>) {
    fn below(root: &Path, folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => below(root, &path, files),
                false => files.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    below(folder, folder, files);
}

#[test]
fn a_clock_that_was_set_back_is_told() {
    let setting = Setting::new();
    Runtime::new().unwrap().block_on(async {
        let log = setting.open().await;
        for second in [100, 500, 470, 400, 501] {
            append_at(&log, Timestamp::from_second(second).unwrap()).await;
        }
        log.shutdown().await.unwrap();
    });
    let found = recheck(setting.path(), &public(&setting)).unwrap();
    assert_eq!(found.set_back, [3], "half a minute is no step, a hundred seconds are");
}

#[test]
fn a_mirror_wants_its_own_logs_key() {
    let (setting, other, copy) = (Setting::new(), Setting::new(), TempDir::new().unwrap());
    publish(&other, 0..3);
    follow(&mut mirror(&other, copy.path()), &other).unwrap();
    let opened = Mirror::open(copy.path(), public(&setting), Witnesses::default());
    assert!(matches!(opened.err(), Some(MirrorError::Checkpoint(_))));
}
