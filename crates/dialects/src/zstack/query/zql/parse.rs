//! From tokens to statements, by recursive descent. Keywords are lower case and may be names
//! wherever a name is expected.

mod condition;

use strongroom_domain::query::Direction;

use super::{
    BadZql,
    ast::{Cond, Fold, Join, JoinKind, Statement, Verb},
    lex::{At, Token, syntax, tokens},
};

/// How many statements and sub-queries a text may have.
const MOST_QUERIES: usize = 100;
/// How deep parentheses and alternations of `and` and `or` may be nested.
const DEEPEST: usize = 100;
/// How many inventories a statement may join.
const MOST_JOINS: usize = 8;

/// Reads the statements of a text.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>, BadZql> {
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text);
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        at: 0,
        depth: 0,
        queries: 0,
    };
    let mut statements = vec![parser.statement()?];
    while parser.sign(";") {
        statements.push(parser.statement()?);
    }
    match parser.peek() {
        Token::End => Ok(statements),
        _ => Err(parser.expected("<EOF>")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, At)>,
    at: usize,
    depth: usize,
    queries: usize,
}

type Parsed<T> = Result<T, BadZql>;

/// The pieces that texts are put together of.
impl Parser<'_> {
    fn ahead(&self, by: usize) -> &Token {
        self.tokens
            .get(self.at + by)
            .map_or(&Token::End, |it| &it.0)
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn expected(&self, what: &str) -> BadZql {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |it| it.1);
        let found = match self.peek() {
            Token::Word(it) | Token::Number(it) => it.clone(),
            Token::Text(it) => format!("'{it}'"),
            Token::Sign(it) => (*it).to_owned(),
            Token::End => "<EOF>".to_owned(),
            Token::Bad(told) => return syntax(self.text, at, told.clone()),
        };
        let what = format!("mismatched input '{found}' expecting {what}");
        syntax(self.text, at, what)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(it) if *it == sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(self.expected(&format!("'{sign}'")))
    }

    /// Steps over these words if they all come next.
    fn keyword(&mut self, words: &str) -> bool {
        let mut count = 0;
        for word in words.split(' ') {
            if !matches!(self.ahead(count), Token::Word(it) if it == word) {
                return false;
            }
            count += 1;
        }
        self.at += count;
        true
    }

    fn need_keyword(&mut self, word: &str) -> Parsed<()> {
        if self.keyword(word) {
            return Ok(());
        }
        Err(self.expected(&format!("'{word}'")))
    }

    fn name(&mut self) -> Parsed<String> {
        let name = match self.peek() {
            Token::Word(it) | Token::Number(it) => it.clone(),
            _ => return Err(self.expected("ID")),
        };
        self.at += 1;
        Ok(name)
    }

    /// Names with a separator between them.
    fn names(&mut self, separator: &str) -> Parsed<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.sign(separator) {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn text(&mut self) -> Parsed<String> {
        let Token::Text(text) = self.peek() else {
            return Err(self.expected("STRING"));
        };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    fn integer(&mut self) -> Parsed<u64> {
        let Token::Number(number) = self.peek() else {
            return Err(self.expected("INT"));
        };
        let number = number.parse().map_err(|_| self.expected("INT"))?;
        self.at += 1;
        Ok(number)
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(BadZql::TooDeep(DEEPEST));
        }
        Ok(())
    }

    fn one_more(&mut self) -> Parsed<()> {
        self.queries += 1;
        if self.queries > MOST_QUERIES {
            return Err(BadZql::TooManyQueries(MOST_QUERIES));
        }
        Ok(())
    }
}

/// Statements and their clauses.
impl Parser<'_> {
    fn statement(&mut self) -> Parsed<Statement> {
        self.one_more()?;
        if self.keyword("search") {
            return Err(BadZql::NoSearch);
        }
        let verb = if self.keyword("query") {
            Verb::Query
        } else if self.keyword("count") {
            Verb::Count
        } else if self.keyword("sum") {
            Verb::Sum(String::new())
        } else {
            return Err(self.expected("{'query', 'count', 'sum', 'search'}"));
        };
        let mut statement = Statement {
            verb,
            ..Statement::default()
        };
        self.target(&mut statement)?;
        if let Verb::Sum(by) = &mut statement.verb {
            if statement.fields.is_empty() {
                return Err(self.expected("'.'"));
            }
            self.need_keyword("by")?;
            *by = self.name()?;
        }
        self.clauses(&mut statement)?;
        Ok(statement)
    }

    /// What comes before the clauses: functions, of which the outer one counts, the entity, its
    /// fields, and joins.
    fn target(&mut self, statement: &mut Statement) -> Parsed<()> {
        let mut open = 0;
        while matches!(self.ahead(1), Token::Sign("(")) {
            let function = self.name()?;
            let verb = match function.to_ascii_lowercase().as_str() {
                "distinct" => Verb::Distinct,
                "max" => Verb::Fold(Fold::Max),
                "min" => Verb::Fold(Fold::Min),
                "avg" => Verb::Fold(Fold::Avg),
                _ => return Err(BadZql::Function(function)),
            };
            statement.distinct |= statement.verb == Verb::Count && verb == Verb::Distinct;
            if statement.verb == Verb::Query {
                statement.verb = verb;
            }
            self.need("(")?;
            open += 1;
        }
        statement.entity = self.name()?;
        if self.sign(".") {
            statement.fields = self.names(",")?;
        }
        if matches!(statement.verb, Verb::Fold(_)) && statement.fields.is_empty() {
            return Err(self.expected("'.'"));
        }
        self.joins(&mut statement.joins)?;
        for _ in 0..open {
            self.need(")")?;
            self.joins(&mut statement.joins)?;
        }
        Ok(())
    }

    fn joins(&mut self, joins: &mut Vec<Join>) -> Parsed<()> {
        loop {
            let kind = if self.keyword("inner") {
                JoinKind::Inner
            } else if self.keyword("left") {
                JoinKind::Left
            } else if self.keyword("right") {
                JoinKind::Right
            } else {
                return Ok(());
            };
            self.need_keyword("join")?;
            let entity = self.name()?;
            if self.sign(".") {
                // Allowed, and without a meaning.
                self.names(",")?;
            }
            self.need_keyword("on")?;
            let on = self.condition()?;
            joins.push(Join { kind, entity, on });
            if joins.len() > MOST_JOINS {
                return Err(BadZql::TooManyJoins(MOST_JOINS));
            }
        }
    }

    /// The clauses, each of which may be missing, in the only order they may have.
    fn clauses(&mut self, statement: &mut Statement) -> Parsed<()> {
        if self.keyword("where") {
            statement.conditions.push(self.condition()?);
        }
        if self.keyword("restrict by") {
            self.restrictions(statement)?;
        }
        if self.keyword("return with") {
            statement.total = self.returned()?;
        }
        if self.keyword("group by") {
            statement.group_by = self.names(",")?;
        }
        if self.keyword("order by") {
            statement.order_by = self.order()?;
        }
        if self.keyword("limit") {
            statement.limit = Some(self.integer()?);
        }
        if self.keyword("offset") {
            statement.offset = self.integer()?;
        }
        if self.keyword("filter by") {
            self.filters()?;
        }
        if self.keyword("named as") {
            statement.name = Some(self.text()?);
        }
        Ok(())
    }

    fn restrictions(&mut self, statement: &mut Statement) -> Parsed<()> {
        self.need("(")?;
        loop {
            let mut test = self.test()?;
            // The statement's own entity may be named before the field.
            if let Cond::Test { field, .. } = &mut test
                && let Some((entity, rest)) = field.split_once('.')
                && entity.eq_ignore_ascii_case(&statement.entity)
            {
                *field = rest.to_owned();
            }
            statement.conditions.push(test);
            if !self.sign(",") {
                return self.need(")");
            }
        }
    }

    /// Whether the total is wanted; nothing else can be returned with the rows.
    fn returned(&mut self) -> Parsed<bool> {
        self.need("(")?;
        loop {
            let name = self.names(".")?.join(".");
            if name != "total" {
                return Err(BadZql::ReturnWith(name));
            }
            if !self.sign(",") {
                self.need(")")?;
                return Ok(true);
            }
        }
    }

    fn order(&mut self) -> Parsed<Vec<(String, Direction)>> {
        let mut order = Vec::new();
        loop {
            let field = self.names(".")?.join(".");
            let direction = if self.keyword("desc") {
                Direction::Descending
            } else {
                self.keyword("asc");
                Direction::Ascending
            };
            order.push((field, direction));
            if !self.sign(",") {
                return Ok(order);
            }
        }
    }

    /// Names with blocks. The vendor's server reads them and does nothing with them.
    fn filters(&mut self) -> Parsed<()> {
        loop {
            self.name()?;
            self.block()?;
            if !self.sign(",") {
                return Ok(());
            }
        }
    }

    /// Anything between braces, in which braces come in pairs.
    fn block(&mut self) -> Parsed<()> {
        self.need("{")?;
        let mut open = 1_usize;
        while open > 0 {
            if self.sign("{") {
                open += 1;
            } else if self.sign("}") {
                open -= 1;
            } else if matches!(self.peek(), Token::End | Token::Bad(_)) {
                return Err(self.expected("'}'"));
            } else {
                self.at += 1;
            }
        }
        Ok(())
    }
}
