//! What a database is besides its content: owner, encoding, locale, settings, grants. An archive
//! holds these only for a restore under the old name, so they are kept beside it.

use serde::{Deserialize, Serialize};

use super::client::{identifier, literal};

/// Lists the databases that can be dumped, with their properties.
pub(super) const LIST: &str = "SELECT json_build_object(
    'name', d.datname,
    'size_bytes', CASE WHEN has_database_privilege(d.oid, 'CONNECT')
        OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
        THEN pg_database_size(d.oid) END,
    'owner', pg_get_userbyid(d.datdba),
    'encoding', pg_encoding_to_char(d.encoding),
    'collate', d.datcollate,
    'ctype', d.datctype,
    'locale_provider', to_jsonb(d) ->> 'datlocprovider',
    'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
    'connection_limit', d.datconnlimit,
    'comment', shobj_description(d.oid, 'pg_database'),
    'settings', (SELECT coalesce(json_agg(json_build_object(
            'role', CASE s.setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END,
            'name', split_part(c, '=', 1),
            'value', substr(c, strpos(c, '=') + 1))), '[]')
        FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = d.oid),
    'grants', (SELECT json_agg(json_build_object(
            'role', CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END,
            'privilege', a.privilege_type,
            'grantable', a.is_grantable))
        FROM aclexplode(d.datacl) a))
    FROM pg_database d WHERE d.datallowconn AND NOT d.datistemplate";

/// What it takes to make a database anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Details {
    owner: String,
    encoding: String,
    collate: String,
    ctype: String,
    /// `c` for the C library, `i` for ICU, `b` for PostgreSQL's own; nothing before version 15.
    locale_provider: Option<String>,
    /// The locale of a provider other than the C library.
    locale: Option<String>,
    connection_limit: i32,
    comment: Option<String>,
    settings: Vec<SettingOf>,
    /// Nothing if the grants are those of a new database.
    grants: Option<Vec<GrantOf>>,
}

/// A setting that sessions in the database begin with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SettingOf {
    /// The role whose sessions these are; everybody's if none.
    role: Option<String>,
    name: String,
    value: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GrantOf {
    /// Everybody if none.
    role: Option<String>,
    privilege: String,
    grantable: bool,
}

impl Details {
    /// Whether this role owns the database or is named in its settings or grants.
    pub(super) fn names(&self, role: &str) -> bool {
        let settings = self.settings.iter().map(|it| it.role.as_deref());
        let grants = self.grants.iter().flatten().map(|it| it.role.as_deref());
        self.owner == role || settings.chain(grants).any(|it| it == Some(role))
    }

    /// Makes an empty database of that name with these properties.
    pub(super) fn create(&self, name: &str) -> String {
        let locale = literal(self.locale.as_deref().unwrap_or_default());
        let provider = match self.locale_provider.as_deref() {
            Some("i") => format!(" LOCALE_PROVIDER icu ICU_LOCALE {locale}"),
            Some("b") => format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {locale}"),
            _ => String::new(),
        };
        format!(
            "CREATE DATABASE {} TEMPLATE template0 OWNER {} ENCODING {} LC_COLLATE {} LC_CTYPE {}\
             {provider} CONNECTION LIMIT {};\n",
            identifier(name),
            identifier(&self.owner),
            literal(&self.encoding),
            literal(&self.collate),
            literal(&self.ctype),
            self.connection_limit
        )
    }

    /// Gives a database that was restored its settings and grants. They come last: a setting such
    /// as `default_transaction_read_only` would be in the way of the restore.
    pub(super) fn finish(&self, name: &str) -> String {
        let name = identifier(name);
        let mut sql = Vec::new();
        if let Some(comment) = &self.comment {
            let comment = literal(comment);
            sql.push(format!("COMMENT ON DATABASE {name} IS {comment};\n"));
        }
        sql.extend(self.settings.iter().map(|it| it.statement(&name)));
        if let Some(grants) = &self.grants {
            sql.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"));
            sql.extend(grants.iter().map(|it| it.statement(&name)));
        }
        sql.concat()
    }
}

impl SettingOf {
    fn statement(&self, database: &str) -> String {
        let whose = match &self.role {
            Some(role) => format!("ROLE {} IN DATABASE {database}", identifier(role)),
            None => format!("DATABASE {database}"),
        };
        // Takes the value as it stands in the catalog, also that of a list of names.
        format!(
            "BEGIN;\nSELECT set_config({}, {}, true);\n\
             ALTER {whose} SET {} FROM CURRENT;\nCOMMIT;\n",
            literal(&self.name),
            literal(&self.value),
            identifier(&self.name)
        )
    }
}

impl GrantOf {
    fn statement(&self, database: &str) -> String {
        let role = self.role.as_deref();
        let role = role.map_or_else(|| "PUBLIC".to_owned(), identifier);
        let option = if self.grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        // A word, as `aclexplode` gives it; of whatever else a backup says nothing is left.
        let letters = self.privilege.chars().filter(char::is_ascii_alphabetic);
        let privilege: String = letters.collect();
        format!("GRANT {privilege} ON DATABASE {database} TO {role}{option};\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_quoted() {
        let details = Details {
            owner: "a\"b".to_owned(),
            encoding: "UTF8".to_owned(),
            collate: "C".to_owned(),
            ctype: "C".to_owned(),
            locale_provider: Some("i".to_owned()),
            locale: Some("de'".to_owned()),
            connection_limit: -1,
            comment: Some("it's".to_owned()),
            settings: Vec::new(),
            grants: Some(vec![GrantOf {
                role: None,
                privilege: "CONNECT; DROP".to_owned(),
                grantable: true,
            }]),
        };
        assert_eq!(
            details.create("x"),
            "CREATE DATABASE \"x\" TEMPLATE template0 OWNER \"a\"\"b\" ENCODING E'UTF8' \
             LC_COLLATE E'C' LC_CTYPE E'C' LOCALE_PROVIDER icu ICU_LOCALE E'de''' \
             CONNECTION LIMIT -1;\n"
        );
        assert_eq!(
            details.finish("x"),
            "COMMENT ON DATABASE \"x\" IS E'it''s';\nREVOKE ALL ON DATABASE \"x\" FROM PUBLIC;\n\
             GRANT CONNECTDROP ON DATABASE \"x\" TO PUBLIC WITH GRANT OPTION;\n"
        );
    }
}
