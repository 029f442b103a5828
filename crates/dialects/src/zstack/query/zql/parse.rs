//! From tokens to statements, by recursive descent. Keywords are lower case and may be names
//! wherever a name is expected.

use strongroom_domain::query::{Direction, Op};

use super::{
    BadZql,
    ast::{Cond, Fold, Operand, Operator, Statement, SubQuery, Verb},
    lex::{At, Token, syntax, tokens},
};

/// How deep parentheses and alternations of `and` and `or` may be nested.
const DEEPEST: usize = 100;
/// How many statements and sub-queries a text may have.
const MOST_QUERIES: usize = 100;

/// Reads the statements of a text.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>, BadZql> {
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text);
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
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

    fn one_more(&mut self) -> Parsed<()> {
        self.queries += 1;
        if self.queries > MOST_QUERIES {
            return Err(BadZql::TooManyQueries(MOST_QUERIES));
        }
        Ok(())
    }

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
        let mut statement = self.target(verb)?;
        if let Verb::Sum(by) = &mut statement.verb {
            if statement.fields.is_empty() {
                return Err(self.expected("'.'"));
            }
            if !self.keyword("by") {
                return Err(self.expected("'by'"));
            }
            *by = self.name()?;
        }
        self.clauses(&mut statement)?;
        Ok(statement)
    }

    /// What comes before the clauses: functions, the entity, its fields.
    fn target(&mut self, mut verb: Verb) -> Parsed<Statement> {
        let mut open = 0;
        while matches!(self.ahead(1), Token::Sign("(")) {
            let function = match self.name()?.as_str() {
                "distinct" => Verb::Distinct,
                "max" => Verb::Fold(Fold::Max),
                "min" => Verb::Fold(Fold::Min),
                "avg" => Verb::Fold(Fold::Avg),
                _ => {
                    self.at -= 1;
                    return Err(self.expected("{'distinct', 'max', 'min', 'avg'}"));
                }
            };
            if verb == Verb::Query {
                verb = function;
            }
            self.need("(")?;
            open += 1;
        }
        let entity = self.name()?;
        let mut fields = Vec::new();
        if self.sign(".") {
            fields = self.names(",")?;
        }
        if matches!(verb, Verb::Fold(_)) && fields.is_empty() {
            return Err(self.expected("'.'"));
        }
        for _ in 0..open {
            self.need(")")?;
        }
        Ok(Statement {
            verb,
            entity,
            fields,
            conditions: Vec::new(),
            total: false,
            group_by: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: 0,
            name: None,
        })
    }

    /// The clauses, each of which may be missing, in the only order they may have.
    fn clauses(&mut self, statement: &mut Statement) -> Parsed<()> {
        if ["inner", "left", "right", "join"]
            .iter()
            .any(|it| self.keyword(it))
        {
            return Err(BadZql::NotServed("join"));
        }
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
            return Err(BadZql::NotServed("filter by"));
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
                && entity == statement.entity
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
            let field = self.name()?;
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

    /// Conditions joined by `and` and `or`. Neither binds tighter: everything to the right of one
    /// is its right side, so `a and b or c` is `a and (b or c)`.
    fn condition(&mut self) -> Parsed<Cond> {
        let outer = self.depth;
        let mut terms = vec![(true, self.term()?)];
        loop {
            let and = self.keyword("and");
            if !and && !self.keyword("or") {
                break;
            }
            if terms.len() > 1 && terms.last().is_some_and(|it| it.0 != and) {
                self.deeper()?;
            }
            terms.push((and, self.term()?));
        }
        self.depth = outer;
        let mut terms = terms.into_iter().rev();
        let Some((mut and, mut right)) = terms.next() else {
            return Ok(Cond::All(Vec::new()));
        };
        for (before, left) in terms {
            right = joined(and, left, right);
            and = before;
        }
        Ok(right)
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(BadZql::TooDeep(DEEPEST));
        }
        Ok(())
    }

    fn term(&mut self) -> Parsed<Cond> {
        if !self.sign("(") {
            return self.test();
        }
        let outer = self.depth;
        self.deeper()?;
        let inner = self.condition()?;
        self.depth = outer;
        self.need(")")?;
        Ok(inner)
    }

    fn test(&mut self) -> Parsed<Cond> {
        let field = self.names(".")?.join(".");
        let operator = self.operator()?;
        let operand = match operator {
            Operator::IsNull | Operator::NotNull => Operand::Values(Vec::new()),
            _ => self.operand()?,
        };
        let list = !matches!(
            operator,
            Operator::Compare(_) | Operator::Like | Operator::NotLike
        );
        match &operand {
            Operand::Values(values) if !list && values.len() != 1 => Err(self.expected("value")),
            _ => Ok(Cond::Test {
                field,
                operator,
                operand,
            }),
        }
    }

    fn operator(&mut self) -> Parsed<Operator> {
        const SIGNS: [(&str, Op); 6] = [
            ("=", Op::Eq),
            ("!=", Op::Ne),
            (">", Op::Gt),
            (">=", Op::Ge),
            ("<", Op::Lt),
            ("<=", Op::Le),
        ];
        const WORDS: [(&str, Operator); 8] = [
            ("is null", Operator::IsNull),
            ("is not null", Operator::NotNull),
            ("in", Operator::In),
            ("not in", Operator::NotIn),
            ("like", Operator::Like),
            ("not like", Operator::NotLike),
            ("has", Operator::Has),
            ("not has", Operator::NotHas),
        ];
        if let Some((_, op)) = SIGNS.iter().find(|it| self.sign(it.0)) {
            return Ok(Operator::Compare(*op));
        }
        match WORDS.iter().find(|it| self.keyword(it.0)) {
            Some((_, operator)) => Ok(*operator),
            None => Err(self.expected(
                "{'=', '!=', '>', '>=', '<', '<=', 'is null', 'is not null', 'in', 'not in', \
                 'like', 'not like', 'has', 'not has'}",
            )),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let ahead = usize::from(matches!(self.peek(), Token::Sign("(")));
        let is_word = |word: &str| matches!(self.ahead(ahead), Token::Word(it) if it == word);
        if is_word("getapi") {
            return Err(BadZql::NotServed("getapi"));
        }
        if ahead == 1 && is_word("query") {
            return self.sub_query();
        }
        let mut values = Vec::new();
        self.keyword("list");
        self.values(&mut values)?;
        Ok(Operand::Values(values))
    }

    fn sub_query(&mut self) -> Parsed<Operand> {
        let outer = self.depth;
        self.deeper()?;
        self.one_more()?;
        self.need("(")?;
        self.keyword("query");
        let entity = self.name()?;
        self.need(".")?;
        let field = self.names(".")?.join(".");
        let conditions = if self.keyword("where") {
            vec![self.condition()?]
        } else {
            Vec::new()
        };
        self.need(")")?;
        self.depth = outer;
        Ok(Operand::SubQuery(Box::new(SubQuery {
            entity,
            field,
            conditions,
        })))
    }

    /// One value, or several in parentheses, which may be nested.
    fn values(&mut self, values: &mut Vec<String>) -> Parsed<()> {
        if self.sign("(") {
            let outer = self.depth;
            self.deeper()?;
            self.values(values)?;
            while self.sign(",") {
                self.values(values)?;
            }
            self.depth = outer;
            return self.need(")");
        }
        let value = match self.peek() {
            Token::Text(it) | Token::Number(it) => it.clone(),
            Token::Word(it) if matches!(it.as_str(), "true" | "false") => it.clone(),
            _ => return Err(self.expected("{'(', BOOLEAN, INT, FLOAT, STRING}")),
        };
        values.push(value);
        self.at += 1;
        Ok(())
    }
}

/// Two conditions as one; those that are joined alike stand side by side.
fn joined(and: bool, left: Cond, right: Cond) -> Cond {
    match (and, right) {
        (true, Cond::All(mut all)) => {
            all.push(left);
            Cond::All(all)
        }
        (false, Cond::Any(mut any)) => {
            any.push(left);
            Cond::Any(any)
        }
        (true, right) => Cond::All(vec![right, left]),
        (false, right) => Cond::Any(vec![right, left]),
    }
}
