//! A Rust file: its tokens and functions, and which of them are tests.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::{
    Attribute, Block, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemUse, Signature, TraitItemFn,
    UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{Problem, tree::Tree};

/// Every Rust file can be read.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let error = |file: &super::tree::File| {
        let error = file.code.as_ref()?.as_ref().err()?;
        Some(Problem::new(&file.path, error.span().start().line, error))
    };
    tree.files.iter().filter_map(error).collect()
}

/// What is in a Rust file.
#[derive(Debug)]
pub(super) struct Code {
    /// Its tokens in order, brackets included.
    tokens: Vec<Token>,
    /// Its functions with a body.
    functions: Vec<Function>,
    /// The paths that its `use` declarations name, one per leaf.
    uses: Vec<Use>,
    /// The lines that are compiled for tests only.
    test_lines: Vec<RangeInclusive<usize>>,
    /// The whole file is for tests.
    is_test: bool,
}

/// One token and its line.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line of its signature.
    pub(super) line: usize,
    /// The lines from its signature to its closing brace.
    pub(super) lines: usize,
    /// The lines between its braces.
    pub(super) body_lines: usize,
    /// It answers a route: it has an OpenAPI description.
    pub(super) is_route: bool,
}

/// A leaf of a `use` declaration.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Code {
    /// Reads a file.
    pub(super) fn parse(path: &str, text: &str) -> syn::Result<Self> {
        let stream: TokenStream = text.parse()?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut code = Self {
            tokens,
            functions: Vec::new(),
            uses: Vec::new(),
            test_lines: Vec::new(),
            is_test: is_test_path(path),
        };
        code.visit_file(&syn::parse_file(text)?);
        Ok(code)
    }

    /// Whether the whole file is for tests.
    pub(super) fn is_test(&self) -> bool {
        self.is_test
    }

    /// Whether a line is compiled for tests only.
    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// How many lines are not for tests.
    pub(super) fn production_lines(&self, text: &str) -> usize {
        (1..=text.lines().count())
            .filter(|line| !self.is_test_line(*line))
            .count()
    }

    /// The tokens that are not for tests.
    pub(super) fn tokens(&self) -> Vec<&Token> {
        self.tokens
            .iter()
            .filter(|token| !self.is_test_line(token.line))
            .collect()
    }

    /// All tokens.
    pub(super) fn all_tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The functions that are not for tests.
    pub(super) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions
            .iter()
            .filter(|function| !self.is_test_line(function.line))
    }

    /// The leaves of all `use` declarations.
    pub(super) fn uses(&self) -> &[Use] {
        &self.uses
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, body: &Block) {
        let first = signature.span().start().line;
        let open = body.brace_token.span.open().start().line;
        let close = body.brace_token.span.close().start().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line: first,
            lines: close - first + 1,
            body_lines: (close - open).saturating_sub(1),
            is_route: attributes.iter().any(is_route_attribute),
        });
    }

    fn mark_if_test(&mut self, attributes: &[Attribute], item: &impl Spanned) {
        if attributes.iter().any(is_test_attribute) {
            let span = item.span();
            self.test_lines.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.mark_if_test(&item.attrs, item);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.mark_if_test(&item.attrs, item);
        visit::visit_item_impl(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.mark_if_test(&item.attrs, item);
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.mark_if_test(&item.attrs, item);
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.attrs, &item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.mark_if_test(&item.attrs, item);
        leaves(&item.tree, &mut Vec::new(), &mut self.uses);
    }
}

fn leaves(tree: &UseTree, path: &mut Vec<String>, uses: &mut Vec<Use>) {
    let mut leaf = |name: String, line| {
        let path = path.iter().cloned().chain([name]).collect();
        uses.push(Use { path, line });
    };
    match tree {
        UseTree::Path(it) => {
            path.push(it.ident.to_string());
            leaves(&it.tree, path, uses);
            path.pop();
        }
        UseTree::Name(it) => leaf(it.ident.to_string(), it.span().start().line),
        UseTree::Rename(it) => leaf(it.ident.to_string(), it.span().start().line),
        UseTree::Glob(it) => leaf("*".to_owned(), it.span().start().line),
        UseTree::Group(it) => it.items.iter().for_each(|it| leaves(it, path, uses)),
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Ident(it) => tokens.push(Token::new(it.to_string(), it.span())),
            TokenTree::Punct(it) => tokens.push(Token::new(it.as_char(), it.span())),
            TokenTree::Literal(it) => tokens.push(Token::new(it.to_string(), it.span())),
            TokenTree::Group(it) => {
                let (open, close) = match it.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token::new(open, it.span_open()));
                flatten(it.stream(), tokens);
                tokens.push(Token::new(close, it.span_close()));
            }
        }
    }
}

impl Token {
    fn new(text: impl Into<String>, span: Span) -> Self {
        Self {
            text: text.into(),
            line: span.start().line,
        }
    }
}

/// Integration tests, files of unit tests, and the crate that only tests use.
fn is_test_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("crates/testkit/")
        || path
            .split('/')
            .any(|part| part == "tests" || part == "benches")
        || name == "tests.rs"
}

fn is_test_attribute(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("test") || path.is_ident("rstest") {
        return true;
    }
    path.is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|condition| condition == "test")
}

/// `#[utoipa::path(…)]`
fn is_route_attribute(attribute: &Attribute) -> bool {
    let names = attribute
        .path()
        .segments
        .iter()
        .map(|it| it.ident.to_string());
    names.eq(["utoipa", "path"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_rust_is_reported_with_its_line() {
        let tree = Tree::of(&[("a.rs", "fn a() {}\nfn {\n")]);
        assert_eq!(check(&tree)[0].line, Some(2));
    }

    #[test]
    fn test_modules_are_told_from_the_rest() {
        let text = "fn a() {\n    b();\n}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
        let code = Code::parse("src/a.rs", text).unwrap();
        assert_eq!(code.production_lines(text), 3);
        let functions: Vec<_> = code
            .functions()
            .map(|it| (it.name.as_str(), it.lines, it.body_lines))
            .collect();
        assert_eq!(functions, [("a", 3, 1)]);
        assert!(code.tokens().iter().all(|token| token.text != "c"));
        assert!(Code::parse("crates/a/tests/b.rs", text).unwrap().is_test());
    }

    #[test]
    fn every_leaf_of_a_use_is_seen() {
        let code = Code::parse("a.rs", "use crate::{a::b, c as d, e::*};").unwrap();
        let paths: Vec<_> = code.uses().iter().map(|it| it.path.join("::")).collect();
        assert_eq!(paths, ["crate::a::b", "crate::c", "crate::e::*"]);
    }
}
