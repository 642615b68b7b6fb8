//! One sentence of a data description → its clauses.

use crate::layout::fixed::{Picture, SignPlace};

use super::CopybookError;
use super::item::{Occurs, Usage};
use super::source::{Sentence, Word};

/// What one sentence says.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) line: usize,
    pub(super) level: u8,
    pub(super) name: Option<String>,
    pub(super) redefines: Option<String>,
    pub(super) picture: Option<(Picture, String)>,
    pub(super) usage: Option<Usage>,
    pub(super) sign: Option<SignPlace>,
    pub(super) occurs: Option<Occurs>,
    /// Of a level 88.
    pub(super) values: Option<Vec<String>>,
}

/// The words of one sentence that are not read yet.
struct Words<'a> {
    line: usize,
    rest: std::iter::Peekable<std::slice::Iter<'a, Word>>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        self.rest.next()
    }

    /// Passes over words that may stand here and say nothing.
    fn skip(&mut self, noise: &[&str]) {
        while self.rest.next_if(|word| noise.iter().any(|noise| word.is(noise))).is_some() {}
    }

    fn take(&mut self, keyword: &str) -> bool {
        self.rest.next_if(|word| word.is(keyword)).is_some()
    }

    fn unknown(&self, clause: &str) -> CopybookError {
        CopybookError::Unknown { line: self.line, clause: clause.to_owned() }
    }

    fn plain(&mut self, clause: &str) -> Result<&'a str, CopybookError> {
        let word = self.next().and_then(Word::plain);
        word.ok_or_else(|| self.unknown(clause))
    }

    fn number(&mut self, clause: &str) -> Result<usize, CopybookError> {
        let word = self.plain(clause)?;
        word.parse().map_err(|_| self.unknown(clause))
    }
}

/// Reads a sentence; nothing of one that adds no bytes.
pub(super) fn read(sentence: &Sentence) -> Result<Option<Clauses>, CopybookError> {
    let line = sentence.line;
    let mut words = Words { line, rest: sentence.words.iter().peekable() };
    let first = words.plain("the sentence")?;
    let is_placeholder = |word: &Word| word.plain().is_some_and(|word| word.contains(':'));
    if first == "COPY" || sentence.words.iter().any(is_placeholder) {
        return Err(CopybookError::Copy { line });
    }
    let level = match first.parse() {
        Ok(level @ (1..=49 | 88)) => level,
        // RENAMES gives a second name to bytes that are there already.
        Ok(66) => return Ok(None),
        Ok(77) => 1,
        _ => return Err(words.unknown(first)),
    };
    let mut clauses = Clauses { line, level, ..Clauses::default() };
    if level == 88 {
        condition(&mut words, &mut clauses)?;
        return Ok(Some(clauses));
    }
    const CLAUSES: [&str; 6] = ["PIC", "PICTURE", "REDEFINES", "OCCURS", "USAGE", "VALUE"];
    let is_name = |word: &&Word| word.plain().is_some_and(|word| !CLAUSES.contains(&word));
    if let Some(name) = words.rest.next_if(|word| is_name(word)).and_then(Word::plain) {
        clauses.name = (name != "FILLER").then(|| name.to_owned());
    }
    while let Some(word) = words.next() {
        let keyword = word.plain().unwrap_or("a literal");
        clause(keyword, &mut words, &mut clauses)?;
    }
    Ok(Some(clauses))
}

fn clause(
    keyword: &str,
    words: &mut Words<'_>,
    clauses: &mut Clauses,
) -> Result<(), CopybookError> {
    let line = words.line;
    let unsupported = |clause, why| Err(CopybookError::Unsupported { line, clause, why });
    match keyword {
        "REDEFINES" => clauses.redefines = Some(words.plain(keyword)?.to_owned()),
        "PIC" | "PICTURE" => {
            words.skip(&["IS"]);
            let text = words.plain(keyword)?;
            let picture = Picture::parse(text).map_err(|why| CopybookError::Picture {
                line,
                picture: text.to_owned(),
                why: why.to_string(),
            })?;
            clauses.picture = Some((picture, text.to_owned()));
        }
        "USAGE" => {
            words.skip(&["IS"]);
            let usage = words.plain(keyword)?;
            clauses.usage = Some(usage_of(usage, words)?);
        }
        "SIGN" => {
            words.skip(&["IS"]);
            let place = words.plain(keyword)?;
            clauses.sign = Some(sign(place, words)?);
        }
        "LEADING" | "TRAILING" => clauses.sign = Some(sign(keyword, words)?),
        "OCCURS" => clauses.occurs = Some(occurs(words)?),
        "VALUE" | "VALUES" => {
            words.skip(&["IS", "ARE", "ALL"]);
            words.next();
        }
        "BLANK" => words.skip(&["WHEN", "ZERO", "ZEROS", "ZEROES"]),
        "GLOBAL" | "EXTERNAL" => {}
        "IS" if words.take("GLOBAL") || words.take("EXTERNAL") => {}
        "SYNC" | "SYNCHRONIZED" => {
            return unsupported("SYNCHRONIZED", "it adds bytes that depend on the machine");
        }
        "JUST" | "JUSTIFIED" => {
            return unsupported("JUSTIFIED", "texts are left-aligned in mappings");
        }
        usage => clauses.usage = Some(usage_of(usage, words)?),
    }
    Ok(())
}

fn usage_of(usage: &str, words: &Words<'_>) -> Result<Usage, CopybookError> {
    let floating = CopybookError::Unsupported {
        line: words.line,
        clause: "COMP-1 and COMP-2",
        why: "a floating-point number is not exact",
    };
    match usage {
        "DISPLAY" | "DISPLAY-1" | "NATIONAL" => Ok(Usage::Display),
        "COMP-3" | "COMPUTATIONAL-3" | "PACKED-DECIMAL" => Ok(Usage::Packed),
        "COMP" | "COMPUTATIONAL" | "COMP-4" | "COMPUTATIONAL-4" | "BINARY" => Ok(Usage::Binary),
        "COMP-5" | "COMPUTATIONAL-5" => Ok(Usage::Native),
        "COMP-1" | "COMPUTATIONAL-1" | "COMP-2" | "COMPUTATIONAL-2" => Err(floating),
        other => Err(words.unknown(other)),
    }
}

fn sign(place: &str, words: &mut Words<'_>) -> Result<SignPlace, CopybookError> {
    let separate = words.take("SEPARATE");
    words.skip(&["CHARACTER"]);
    match (place, separate) {
        ("LEADING", false) => Ok(SignPlace::Leading),
        ("LEADING", true) => Ok(SignPlace::LeadingSeparate),
        ("TRAILING", false) => Ok(SignPlace::Trailing),
        ("TRAILING", true) => Ok(SignPlace::TrailingSeparate),
        _ => Err(words.unknown("SIGN")),
    }
}

fn occurs(words: &mut Words<'_>) -> Result<Occurs, CopybookError> {
    let mut max = words.number("OCCURS")?;
    if words.take("TO") {
        max = words.number("OCCURS")?;
    }
    words.skip(&["TIMES"]);
    let mut depending_on = None;
    loop {
        if words.take("DEPENDING") {
            words.skip(&["ON"]);
            depending_on = Some(words.plain("DEPENDING")?.to_owned());
        } else if words.take("ASCENDING") || words.take("DESCENDING") {
            words.skip(&["KEY", "IS"]);
            words.plain("KEY")?;
        } else if words.take("INDEXED") {
            words.skip(&["BY"]);
            words.plain("INDEXED")?;
        } else {
            return Ok(Occurs { max, depending_on });
        }
    }
}

/// `88 name VALUE literal [THRU literal] …`
fn condition(words: &mut Words<'_>, clauses: &mut Clauses) -> Result<(), CopybookError> {
    clauses.name = Some(words.plain("88")?.to_owned());
    if !words.take("VALUE") && !words.take("VALUES") {
        return Err(words.unknown("88"));
    }
    words.skip(&["IS", "ARE"]);
    let mut values = Some(Vec::new());
    while let Some(word) = words.next() {
        match word {
            Word::Literal(text) => values.iter_mut().for_each(|all| all.push(text.clone())),
            Word::Plain(word) if word == "THRU" || word == "THROUGH" => values = None,
            Word::Plain(word) => match word.as_str() {
                "SPACE" | "SPACES" | "LOW-VALUE" | "LOW-VALUES" | "HIGH-VALUE" | "HIGH-VALUES" => {
                    values = None;
                }
                "ZERO" | "ZEROS" | "ZEROES" => {
                    values.iter_mut().for_each(|all| all.push("0".to_owned()));
                }
                number => values.iter_mut().for_each(|all| all.push(number.to_owned())),
            },
        }
    }
    clauses.values = values;
    Ok(())
}
