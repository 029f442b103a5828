//! Conditions, and the values in them.

use strongroom_domain::query::Op;

use super::{Parsed, Parser};
use crate::zstack::query::zql::{
    BadZql,
    ast::{ColumnName, Cond, Operand, Operator, SubQuery},
    lex::Token,
};

impl Parser<'_> {
    /// Conditions joined by `and` and `or`. Neither binds tighter: everything to the right of one
    /// is its right side, so `a and b or c` is `a and (b or c)`.
    pub(super) fn condition(&mut self) -> Parsed<Cond> {
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

    pub(super) fn test(&mut self) -> Parsed<Cond> {
        let names = self.names(".")?;
        let operator = self.operator()?;
        let list = !matches!(
            operator,
            Operator::Compare(_) | Operator::Like | Operator::NotLike
        );
        if let Some(left) = column(&names).filter(|_| !list && self.is_column()) {
            let right = column(&self.names(".")?).ok_or_else(|| self.expected("'.'"))?;
            return Ok(Cond::Columns(left, operator, right));
        }
        let operand = match operator {
            Operator::IsNull | Operator::NotNull => Operand::Values(Vec::new()),
            _ => self.operand()?,
        };
        let field = names.join(".");
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
            self.at += ahead + 1;
            return Err(self.api());
        }
        if ahead == 1 && is_word("query") {
            return self.sub_query();
        }
        let mut values = Vec::new();
        self.keyword("list");
        self.values(&mut values)?;
        Ok(Operand::Values(values))
    }

    /// Whether `entity.field` comes next.
    fn is_column(&self) -> bool {
        let words = [self.peek(), self.ahead(2)];
        let words = words
            .iter()
            .all(|it| matches!(it, Token::Word(_) | Token::Number(_)));
        words && *self.ahead(1) == Token::Sign(".")
    }

    /// The value of a call of the API, of which none can be made from here: as if the vendor's
    /// server were asked for a call that it does not have.
    fn api(&mut self) -> BadZql {
        let mut name = String::new();
        let read = |it: &mut Self, name: &mut String| {
            it.need("(")?;
            loop {
                let key = it.name()?;
                it.need("=")?;
                let mut values = Vec::new();
                it.keyword("list");
                it.values(&mut values)?;
                if key == "api" {
                    *name = values.concat();
                }
                if !it.sign(",") {
                    return it.need(")");
                }
            }
        };
        match read(self, &mut name) {
            Ok(()) => BadZql::Api(name),
            Err(error) => error,
        }
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

/// A path as a column's; what follows the field has no meaning.
fn column(names: &[String]) -> Option<ColumnName> {
    let [entity, field, ..] = names else {
        return None;
    };
    Some(ColumnName {
        entity: entity.clone(),
        field: field.clone(),
    })
}
