//! Templates: quoted strings, heredocs, `%{ if }` and `%{ for }`.

use hcl_edit::expr::Expression;
use hcl_edit::template::{Directive, Element, HeredocTemplate, StringTemplate, Strip, Template};

use crate::evaluate::{Evaluator, LONGEST_TEXT};
use crate::scope::Scope;
use crate::value::{Evaluated, Failure, Value, failure};

/// The text so far, or why it is not known.
type Text = Result<String, String>;

impl Evaluator<'_> {
    /// A quoted template. One that is nothing but an interpolation gives the
    /// value itself, whatever its type.
    pub(crate) fn string_template(
        &self,
        template: &StringTemplate,
        scope: &Scope<'_>,
    ) -> Evaluated {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.evaluate(&only.expr, scope);
        }
        text_value(self.template(template, scope)?)
    }

    /// A heredoc: always a text, with the last line's ending.
    pub(crate) fn heredoc(&self, heredoc: &HeredocTemplate, scope: &Scope<'_>) -> Evaluated {
        text_value(self.template(&heredoc.template, scope)?)
    }

    fn template(&self, template: &Template, scope: &Scope<'_>) -> Result<Text, Failure> {
        if strips(template) {
            return Ok(Err("`~` in a template is not evaluated".to_owned()));
        }
        let mut text = String::new();
        for element in template {
            let piece = match element {
                Element::Literal(literal) => Ok(literal.value().clone()),
                Element::Interpolation(interpolation) => {
                    self.interpolation(&interpolation.expr, scope)?
                }
                Element::Directive(directive) => self.directive(directive, scope)?,
            };
            match piece {
                Ok(piece) => text.push_str(&piece),
                Err(reason) => return Ok(Err(reason)),
            }
            if text.len() > LONGEST_TEXT {
                return Ok(Err("the text is too long to evaluate".to_owned()));
            }
        }
        Ok(Ok(text))
    }

    /// A template that is not part of an expression.
    pub(crate) fn template_text(&self, template: &Template, scope: &Scope<'_>) -> Evaluated {
        text_value(self.template(template, scope)?)
    }

    /// The text that one element of a template gives, if it is known.
    pub(crate) fn element_text(&self, element: &Element, scope: &Scope<'_>) -> Option<String> {
        let text = match element {
            Element::Literal(literal) => Ok(literal.value().clone()),
            Element::Interpolation(interpolation) => {
                self.interpolation(&interpolation.expr, scope).ok()?
            }
            Element::Directive(directive) => self.directive(directive, scope).ok()?,
        };
        text.ok()
    }

    fn interpolation(&self, expression: &Expression, scope: &Scope<'_>) -> Result<Text, Failure> {
        let value = self.evaluate(expression, scope)?;
        match (value.to_text(), value) {
            (Some(text), _) => Ok(Ok(text)),
            (None, Value::Unknown(reason)) => Ok(Err(reason)),
            (None, other) => failure(format!("{} cannot be put into a text", other.kind())),
        }
    }

    fn directive(&self, directive: &Directive, scope: &Scope<'_>) -> Result<Text, Failure> {
        match directive {
            Directive::If(choice) => {
                let condition = self.evaluate(&choice.if_expr.cond_expr, scope)?;
                match (condition.to_bool(), &choice.else_expr) {
                    (Some(true), _) => self.template(&choice.if_expr.template, scope),
                    (Some(false), Some(otherwise)) => self.template(&otherwise.template, scope),
                    (Some(false), None) => Ok(Ok(String::new())),
                    (None, _) => match condition {
                        Value::Unknown(reason) => Ok(Err(reason)),
                        other => failure(format!("a bool is required, not {}", other.kind())),
                    },
                }
            }
            Directive::For(repetition) => {
                let for_expression = &repetition.for_expr;
                let collection = self.evaluate(&for_expression.collection_expr, scope)?;
                if let Value::Unknown(reason) = collection {
                    return Ok(Err(reason));
                }
                let key_name = for_expression
                    .key_var
                    .as_ref()
                    .map_or("", |name| name.as_str());
                let mut text = String::new();
                for (key, value) in collection.entries()? {
                    let with_key = scope.with(key_name, &key);
                    let scope = with_key.with(for_expression.value_var.as_str(), &value);
                    match self.template(&for_expression.template, &scope)? {
                        Ok(piece) => text.push_str(&piece),
                        Err(reason) => return Ok(Err(reason)),
                    }
                }
                Ok(Ok(text))
            }
        }
    }
}

fn text_value(text: Text) -> Evaluated {
    Ok(text.map_or_else(Value::Unknown, Value::String))
}

/// Whether any sequence of a template has a `~`, which eats white space of the
/// literals around it.
fn strips(template: &Template) -> bool {
    template.iter().any(|element| match element {
        Element::Literal(_) => false,
        Element::Interpolation(interpolation) => interpolation.strip != Strip::None,
        Element::Directive(directive) => match directive.as_ref() {
            Directive::If(choice) => {
                choice.if_expr.strip != Strip::None
                    || choice.endif_expr.strip != Strip::None
                    || strips(&choice.if_expr.template)
                    || choice.else_expr.as_ref().is_some_and(|otherwise| {
                        otherwise.strip != Strip::None || strips(&otherwise.template)
                    })
            }
            Directive::For(repetition) => {
                repetition.for_expr.strip != Strip::None
                    || repetition.endfor_expr.strip != Strip::None
                    || strips(&repetition.for_expr.template)
            }
        },
    })
}
