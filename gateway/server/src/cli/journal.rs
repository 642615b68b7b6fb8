//! `naru journal …`: what a regulator does with a log, from its public files alone.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use gateway_journal::{
    Audit, Authority, Folder, Mirror, Published, Trust, VerifierKey, Witnesses, audit,
};

use super::{Failure, say, warn};
use crate::notary::Remote;

/// Re-check a log, or follow one.
#[derive(Subcommand)]
pub(super) enum Journal {
    /// Re-check everything that a log has published: every entry, every tile at every level, the
    /// root, and the signatures of the log, its witnesses and its time stamps.
    Verify {
        #[command(flatten)]
        log: Source,
    },
    /// Follow a log: copy what is new, each entry proved to be in the signed tree, and the tree to
    /// have grown out of the one mirrored before. A log that shows less than before (rollback) or
    /// something else (split view) is refused, and both signed checkpoints are kept as proof.
    #[command(after_help = "Ends with 0 when the mirror has followed, with 3 when the log \
contradicts itself, with 1 when something else does not work. Serve the folder with any web server; \
it is a log in the same layout.")]
    Mirror {
        #[command(flatten)]
        log: Source,
        /// The mirror's folder; made when missing.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// Go on following, every so many seconds, until something is wrong.
        #[arg(long, value_name = "SECONDS")]
        every: Option<u64>,
        /// Another place that shows a checkpoint of the same log, such as a witness or another mirror
        /// (URL or folder): what the log says there must agree. May be given several times.
        #[arg(long, value_name = "URL|FOLDER")]
        compare: Vec<String>,
    },
}

/// A published log, and who counts.
#[derive(Args)]
pub(super) struct Source {
    /// The log: the URL of its prefix, or its folder.
    #[arg(value_name = "URL|FOLDER")]
    log: String,
    /// A file with the log's verifier key, one line: name+hash+key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file with the verifier keys of its witnesses, one on a line.
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// How many of them must have cosigned the checkpoint.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    quorum: usize,
    /// A file with the certificates (PEM) of the authority of its time stamps.
    #[arg(long, value_name = "FILE")]
    timestamps: Option<PathBuf>,
}

impl Journal {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Verify { log } => log.verify(),
            Self::Mirror { log, to, every, compare } => {
                let mut mirror = Mirror::open(&to, log.key()?, log.witnesses()?)?;
                let source = published(&log.log)?;
                loop {
                    follow(&mut mirror, &*source)?;
                    for other in &compare {
                        agree(&mirror, other)?;
                    }
                    match every {
                        Some(seconds) => thread::sleep(Duration::from_secs(seconds)),
                        None => return Ok(()),
                    }
                }
            }
        }
    }
}

impl Source {
    fn key(&self) -> Result<VerifierKey, Failure> {
        let at = self.key.display();
        let text = std::fs::read_to_string(&self.key).map_err(|e| format!("the key {at}: {e}"))?;
        Ok(text.trim().parse().map_err(|e| format!("the key {at}: {e}"))?)
    }

    fn witnesses(&self) -> Result<Witnesses, Failure> {
        let Some(file) = &self.witnesses else {
            return match self.quorum {
                0 => Ok(Witnesses::default()),
                _ => Err("name the witnesses' keys with --witnesses FILE".into()),
            };
        };
        let at = file.display();
        let text = std::fs::read_to_string(file).map_err(|e| format!("the keys {at}: {e}"))?;
        let keys = text.lines().filter(|line| !line.trim().is_empty());
        let keys = keys.map(|line| line.trim().parse()).collect::<Result<_, _>>();
        let keys = keys.map_err(|e| format!("the keys {at}: {e}"))?;
        Ok(Witnesses { keys, quorum: self.quorum })
    }

    fn authority(&self) -> Result<Option<Authority>, Failure> {
        let Some(file) = &self.timestamps else {
            return Ok(None);
        };
        let pem = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
        Ok(Some(Authority::from_pem(&pem).map_err(|e| format!("{}: {e}", file.display()))?))
    }

    fn verify(&self) -> Result<(), Failure> {
        let trust =
            Trust { key: self.key()?, witnesses: self.witnesses()?, authority: self.authority()? };
        let found = audit(&*published(&self.log)?, &trust, progress("checked"))
            .map_err(|error| format!("NOT verified: {error}"))?;
        report(&found)
    }
}

fn report(found: &Audit) -> Result<(), Failure> {
    say(format_args!(
        "verified: {} entries lead to the signed root; {} tiles and bundles are what they must be",
        found.entries, found.objects
    ))?;
    for (kind, count) in &found.kinds {
        say(format_args!("  {kind}: {count}"))?;
    }
    if let Some((first, last)) = found.times {
        say(format_args!("first {first}, last {last}"))?;
    }
    for cosignature in &found.cosignatures {
        say(format_args!("cosigned by {} at {}", cosignature.witness, cosignature.time))?;
    }
    if let (Some((first, stamp)), Some((last, latest))) =
        (found.stamps.first(), found.stamps.last())
    {
        say(format_args!(
            "{} time stamps: {first} entries at {}, … {last} at {}",
            found.stamps.len(),
            stamp.time,
            latest.time
        ))?;
    }
    for index in &found.set_back {
        warn(format_args!("the gateway's clock was set back before entry {index}"));
    }
    Ok(())
}

fn follow(mirror: &mut Mirror, log: &dyn Published) -> Result<(), Failure> {
    let followed = mirror.follow(log, progress("mirrored"))?;
    say(format_args!(
        "mirrored: {} entries, {} of them new; {} cosignatures",
        followed.now,
        followed.now - followed.before,
        followed.cosignatures
    ))
}

fn agree(mirror: &Mirror, other: &str) -> Result<(), Failure> {
    let note = gateway_journal::published::checkpoint(&*published(other)?)?;
    match mirror.compare(&note)? {
        true => say(format_args!("{other} shows the same log")),
        false => say(format_args!("{other} shows more than is mirrored here; compare again later")),
    }
}

fn published(at: &str) -> Result<Box<dyn Published>, Failure> {
    if at.starts_with("http://") || at.starts_with("https://") {
        return Ok(Box::new(Remote::new(at)?));
    }
    if !std::path::Path::new(at).is_dir() {
        return Err(format!("{at}: not a folder, and no URL").into());
    }
    Ok(Box::new(Folder::open(at.as_ref())?))
}

/// Says how far it is on one line of a terminal, and nothing elsewhere.
fn progress(done: &'static str) -> impl FnMut(u64, u64) {
    let shown = stderr().is_terminal();
    let mut said = 0;
    move |now, all| {
        let percent = now * 100 / all.max(1);
        if shown && (percent != said || now == all) {
            said = percent;
            let end = if now == all { "\n" } else { "" };
            let _ = std::io::Write::write_fmt(
                &mut stderr(),
                format_args!("\r{done} {now} of {all} entries ({percent} %){end}"),
            );
        }
    }
}
