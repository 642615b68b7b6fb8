//! The residents of the practice world, all invented, and what they ask for.
//!
//! Each programme is known by another code on every wire; the tables here are written from the
//! formats' documents, not from the gateway's mappings.

/// An invented resident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The name, in Korean.
    pub name: &'static str,
    /// The resident registration number, thirteen digits.
    pub resident_number: &'static str,
}

/// The resident whom the ministry grants a benefit and city A is refused one for.
pub const HONG: Person = Person { name: "홍길동", resident_number: "9001011234567" };
/// The residents in city B's batch file; the third one's record is bad.
pub const BATCH: [Person; 4] = [
    Person { name: "김나루", resident_number: "8503152345678" },
    Person { name: "이가람", resident_number: "9207221456789" },
    Person { name: "박한결", resident_number: "7809092567891" },
    Person { name: "최다온", resident_number: "0001013234567" },
];
/// The resident of the sample files, of whom the tour says nothing.
pub const SAMPLE: Person = Person { name: "장보라", resident_number: "8811302987654" };

/// Everybody the tour names.
pub fn tour() -> impl Iterator<Item = Person> {
    std::iter::once(HONG).chain(BATCH)
}

impl Person {
    /// The number as people write it, with its hyphen.
    pub fn hyphenated(&self) -> String {
        let (birth, rest) = self.resident_number.split_at(6);
        format!("{birth}-{rest}")
    }

    /// How the tour prints a person: `홍** 900101-1******`.
    pub fn masked(&self) -> String {
        let family: String = self.name.chars().take(1).collect();
        let stars = "*".repeat(self.name.chars().count().saturating_sub(1));
        let shown: String = self.hyphenated().chars().take(8).collect();
        format!("{family}{stars} {shown}******")
    }
}

/// A welfare programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Programme {
    /// `housing-benefit`, of the group `housing`.
    HousingBenefit,
    /// `youth-rent`, of the group `housing`.
    YouthRent,
    /// `basic-living`, of the group `livelihood`.
    BasicLiving,
    /// `child-allowance`, of the group `child`.
    ChildAllowance,
}

impl Programme {
    /// The sector's own name, which REST uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::HousingBenefit => "housing-benefit",
            Self::YouthRent => "youth-rent",
            Self::BasicLiving => "basic-living",
            Self::ChildAllowance => "child-allowance",
        }
    }

    /// The ministry's code.
    pub fn ministry(self) -> &'static str {
        match self {
            Self::HousingBenefit => "HSG",
            Self::YouthRent => "YRN",
            Self::BasicLiving => "BLS",
            Self::ChildAllowance => "CHD",
        }
    }

    /// City A's code.
    pub fn city_a(self) -> &'static str {
        match self {
            Self::HousingBenefit => "02",
            Self::YouthRent => "03",
            Self::BasicLiving => "01",
            Self::ChildAllowance => "05",
        }
    }

    /// City B's word.
    pub fn city_b(self) -> &'static str {
        match self {
            Self::HousingBenefit => "주거급여",
            Self::YouthRent => "청년월세",
            Self::BasicLiving => "생계급여",
            Self::ChildAllowance => "아동수당",
        }
    }
}

/// A benefit that somebody asks for, before it is put into a wire format.
#[derive(Clone, Copy)]
pub struct Benefit {
    /// For whom.
    pub person: Person,
    /// What.
    pub programme: Programme,
    /// From this day on, `YYYY-MM-DD`.
    pub from: &'static str,
    /// Until this day, `YYYY-MM-DD`, included.
    pub to: &'static str,
    /// Whole won a month.
    pub monthly_amount: u64,
}

impl Benefit {
    /// How the tour prints it.
    pub fn summary(&self) -> String {
        let Self { person, programme, from, to, monthly_amount } = self;
        format!(
            "{}, {} {from}..{to}, {monthly_amount} won a month",
            person.masked(),
            programme.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_person_cannot_be_recognized() {
        assert_eq!(HONG.masked(), "홍** 900101-1******");
        for person in tour() {
            assert!(!person.masked().contains(person.name));
            assert!(!person.masked().contains(&person.hyphenated()));
        }
    }
}
