//! A copybook's text → its sentences, each a list of words, in fixed format (columns 8 to 72) or
//! free format.

use super::CopybookError;

/// One word of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A name, keyword, number or picture, in upper case.
    Plain(String),
    /// The text of a literal in quotes.
    Literal(String),
}

impl Word {
    /// The word unless it is a literal.
    pub(super) fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(word) => Some(word),
            Self::Literal(_) => None,
        }
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.plain() == Some(keyword)
    }
}

/// The words up to a period.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) words: Vec<Word>,
}

/// Splits the text into sentences.
pub(super) fn sentences(text: &str) -> Result<Vec<Sentence>, CopybookError> {
    let fixed = is_fixed(text);
    let mut sentences = Vec::new();
    let mut words = Vec::new();
    let mut begun = 0;
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        let code = if fixed { fixed_code(line, number)? } else { Some(free_code(line)) };
        let Some(mut rest) = code else { continue };
        while let Some((word, ends, after)) = next_word(rest, number)? {
            if words.is_empty() {
                begun = number;
            }
            words.extend(word);
            if ends && !words.is_empty() {
                sentences.push(Sentence { line: begun, words: std::mem::take(&mut words) });
            }
            rest = after;
        }
    }
    match words.is_empty() {
        true => Ok(sentences),
        false => Err(CopybookError::Unfinished { line: begun }),
    }
}

/// Fixed format has a sequence number or blanks in columns 1 to 6 and an indicator in column 7 of
/// every line; a line of free format that looks so reads the same.
fn is_fixed(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.clone().all(|line| {
        let sequence: Vec<char> = line.chars().take(6).collect();
        let blank = sequence.iter().all(|character| *character == ' ');
        let numbered = sequence.len() == 6 && !sequence.iter().any(|each| each.is_whitespace());
        let indicator = line.chars().nth(6).unwrap_or(' ');
        (blank || numbered) && " */-Dd$".contains(indicator)
    })
}

/// Columns 8 to 72, counted as an editor for EUC-KR does: two for a Korean character. Nothing of a
/// comment.
fn fixed_code(line: &str, number: usize) -> Result<Option<&str>, CopybookError> {
    match line.chars().nth(6) {
        None | Some('*' | '/' | 'D' | 'd' | '$') => return Ok(None),
        Some('-') => return Err(CopybookError::Continued { line: number }),
        Some(_) => {}
    }
    let mut column = 0_usize;
    let (mut start, mut end) = (line.len(), line.len());
    for (at, character) in line.char_indices() {
        if column == 7 {
            start = at;
        }
        if column >= 72 {
            end = at;
            break;
        }
        column += if character.is_ascii() { 1 } else { 2 };
    }
    Ok(line.get(start..end).map(free_code))
}

/// A line without the comment at its end.
fn free_code(line: &str) -> &str {
    line.split_once("*>").map_or(line, |(code, _)| code)
}

type Next<'a> = Option<(Option<Word>, bool, &'a str)>;

/// The next word, whether a period follows it, and what comes after.
fn next_word(text: &str, line: usize) -> Result<Next<'_>, CopybookError> {
    let text = text.trim_start_matches([' ', '\t', ',', ';', '\u{c}']);
    let Some(first) = text.chars().next() else {
        return Ok(None);
    };
    if let Some((literal, after)) = literal(text, first, line)? {
        let ends = after.strip_prefix('.');
        return Ok(Some((Some(Word::Literal(literal)), ends.is_some(), ends.unwrap_or(after))));
    }
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    let word = word.trim_end_matches([',', ';']);
    let (word, ends) = match word.strip_suffix('.') {
        Some(word) => (word, true),
        None => (word, false),
    };
    let plain = (!word.is_empty()).then(|| Word::Plain(word.to_ascii_uppercase()));
    Ok(Some((plain, ends, after)))
}

/// A literal in either kind of quotes, which are doubled within it.
fn literal(text: &str, quote: char, line: usize) -> Result<Option<(String, &str)>, CopybookError> {
    if quote != '\'' && quote != '"' {
        return Ok(None);
    }
    let mut literal = String::new();
    let mut rest = text.get(1..).unwrap_or_default();
    loop {
        let (part, after) = rest.split_once(quote).ok_or(CopybookError::OpenLiteral { line })?;
        literal.push_str(part);
        match after.strip_prefix(quote) {
            Some(after) => {
                literal.push(quote);
                rest = after;
            }
            None => return Ok(Some((literal, after))),
        }
    }
}
