//! What a shape of the service model says.

/// A member of a structure.
#[derive(Debug, Clone, Copy)]
pub(in crate::ecr) struct Member {
    /// As it is written in JSON.
    pub(in crate::ecr) name: &'static str,
    pub(in crate::ecr) required: bool,
    pub(super) shape: Shape,
}

/// The type of a value, with its constraints.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text(Text),
    /// A text out of a set.
    Choice(&'static [&'static str]),
    /// A whole number.
    Number {
        least: i64,
        most: i64,
    },
    Flag,
    /// Bytes in base 64, by their largest number.
    Bytes(usize),
    List(List),
    Structure(&'static [Member]),
}

/// A text; lengths are in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) pattern: Option<&'static str>,
    pub(super) voice: Voice,
}

/// Who refuses a value: two layers of ECR speak differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The framework in front of the service: `Member must ...`.
    Framework,
    /// The service itself, which calls the parameter by this name:
    /// `must ...`.
    Service(&'static str),
}

/// A list, by the number of its elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) member: &'static Shape,
}

/// A member that must be there.
pub(super) const fn required(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        required: true,
        shape,
    }
}

/// A member that may be absent.
pub(super) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member {
        name,
        required: false,
        shape,
    }
}

/// Any text.
pub(super) const fn any_text() -> Shape {
    text(0, usize::MAX)
}

/// A text of a certain length.
pub(super) const fn text(least: usize, most: usize) -> Shape {
    Shape::Text(Text {
        least,
        most,
        pattern: None,
        voice: Voice::Framework,
    })
}

/// A text of a certain length that matches a pattern.
pub(super) const fn pattern(least: usize, most: usize, pattern: &'static str) -> Shape {
    Shape::Text(Text {
        least,
        most,
        pattern: Some(pattern),
        voice: Voice::Framework,
    })
}

/// A list of so many elements.
pub(super) const fn list(least: usize, most: usize, member: &'static Shape) -> Shape {
    Shape::List(List {
        least,
        most,
        member,
    })
}
