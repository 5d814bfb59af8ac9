//! Foreign text made safe for a terminal.

/// Foreign text in one line, with what a terminal or the runner would act on as escapes.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        // Marks that reorder text could make one value look like another.
        let reorders = matches!(char, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if reorders || (char.is_control() && char != '\t') {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}
