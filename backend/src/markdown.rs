//! Markdown into HTML that is safe to show: raw HTML becomes text, and an address
//! is kept only if following it can do no harm.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// The schemes of addresses that are kept. An address without a scheme leads to a
/// place on this site.
const SCHEMES: [&str; 3] = ["https", "http", "mailto"];

fn parser(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(markdown, options)
}

/// The HTML of `markdown`.
pub(crate) fn to_html(markdown: &str) -> String {
    let mut output = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut output, parser(markdown).map(safe));
    output
}

/// The words of `markdown`, without its marks.
pub(crate) fn to_text(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    for event in parser(markdown) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(
                TagEnd::Paragraph
                | TagEnd::Item
                | TagEnd::Heading(_)
                | TagEnd::CodeBlock
                | TagEnd::TableCell,
            ) => text.push(' '),
            _ => {}
        }
    }
    text
}

fn safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        // What is between raw tags stays; the block around it has no tags itself.
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: kept(dest_url),
            title,
            id,
        }),
        Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Image {
            link_type,
            dest_url: kept(dest_url),
            title,
            id,
        }),
        event => event,
    }
}

/// The address, or `#` in its place. Browsers leave out control characters and
/// leading spaces when they look for a scheme, so this does too.
fn kept(url: CowStr<'_>) -> CowStr<'_> {
    let plain: String = url
        .chars()
        .filter(|character| !character.is_control() && !character.is_whitespace())
        .collect();
    let before_path = plain.split(['/', '?', '#']).next().unwrap_or_default();
    let is_kept = match before_path.split_once(':') {
        Some((scheme, _)) => SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()),
        None => true,
    };
    if is_kept { url } else { CowStr::Borrowed("#") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_become_elements() {
        let html = to_html("# A\n\n*b* ~~c~~ [d](https://e.example/?f=1&g)\n\n| h |\n|---|\n| i |");
        for part in [
            "<h1>A</h1>",
            "<em>b</em>",
            "<del>c</del>",
            r#"<a href="https://e.example/?f=1&amp;g">d</a>"#,
            "<td>i</td>",
        ] {
            assert!(html.contains(part), "{html}");
        }
    }

    #[test]
    fn raw_html_is_shown_as_text() {
        let html = to_html("a <b onclick=x>c</b>\n\n<script>alert(1)</script>\n\n<!-- d -->");
        assert!(!html.contains("<b") && !html.contains("<script") && !html.contains("<!--"));
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn an_address_that_could_run_something_is_not_kept() {
        for url in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#x0a;script:alert(1)",
            "&#1;javascript:alert(1)",
            "data:text/html,a",
            "vbscript:a",
            "<java script:a>",
        ] {
            let html = to_html(&format!("[a]({url}) ![a]({url})"));
            assert!(html.contains(r##"href="#""##), "{html}");
            assert!(html.contains(r##"src="#""##), "{html}");
        }
        assert!(to_html("<javascript:alert(1)>").contains(r##"href="#""##));
        for url in ["/a:b", "#a:b", "?a:b", "a/b:c", "mailto:a@b.example"] {
            let html = to_html(&format!("[a]({url})"));
            assert!(html.contains(&format!("\"{url}\"")), "{html}");
        }
    }

    #[test]
    fn text_has_the_words_and_not_the_marks() {
        let text = to_text("# Tides\n\nThe *moon* and `code` [here](https://a.example)");
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!(words, ["Tides", "The", "moon", "and", "code", "here"]);
    }

    proptest! {
        #[test]
        fn whatever_is_written_there_is_no_element_of_scripts(
            text in r#"[\[\]()<>!"'a-c:/ \n&#;x0-9=`]{0,80}(<script>|javascript:|<img onerror=)?.{0,20}"#
        ) {
            let html = to_html(&text).to_lowercase();
            // What stands outside of them is text, in which nothing runs.
            let elements = html.split('<').skip(1).map(|rest| rest.split('>').next());
            for element in elements.flatten() {
                prop_assert!(!element.starts_with("script"), "{html}");
                prop_assert!(!element.contains("=\"javascript:"), "{html}");
            }
            let _ = to_text(&text);
        }
    }
}
