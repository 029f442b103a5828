//! Trees: one directory as JSON, byte for byte as restic writes it, so that equal directories have
//! equal ids whoever wrote them.

use serde::Deserialize;

use super::json::JsonWriter;
use super::node::{self, Node, RawNode};

/// The entries of one directory, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Entries that had to be left out, each with the reason.
    pub(crate) refused: Vec<String>,
}

#[derive(Deserialize)]
struct RawTree {
    /// Go prints an empty list as `null` in some versions.
    nodes: Option<Vec<RawNode>>,
}

impl Tree {
    /// Reads a tree. Entries whose name could lead out of the directory, or that repeat a name,
    /// are refused one by one; the others stay readable.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let raw: RawTree = serde_json::from_slice(json)?;
        let raw = raw.nodes.unwrap_or_default();
        let mut tree = Self {
            nodes: Vec::with_capacity(raw.len()),
            refused: Vec::new(),
        };
        for node in raw {
            let name = node.name.clone();
            match node::from_raw(node) {
                Ok(node) => tree.nodes.push(node),
                Err(reason) => tree.refused.push(format!("`{name}`: {reason}")),
            }
        }
        tree.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        tree.refuse_duplicates();
        Ok(tree)
    }

    /// Of entries with one name none is believed: there is no telling which was meant.
    fn refuse_duplicates(&mut self) {
        let names = self
            .nodes
            .windows(2)
            .filter(|pair| pair[0].name == pair[1].name);
        let mut twice: Vec<Vec<u8>> = names.map(|pair| pair[0].name.clone()).collect();
        twice.dedup();
        if !twice.is_empty() {
            self.nodes
                .retain(|node| twice.binary_search(&node.name).is_err());
            let reasons = twice
                .iter()
                .map(|name| format!("`{}`: name occurs twice", name.escape_ascii()));
            self.refused.extend(reasons);
        }
    }

    /// The entry called `name`.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Node> {
        let at = self
            .nodes
            .binary_search_by(|node| node.name.as_slice().cmp(name))
            .ok()?;
        self.nodes.get(at)
    }
}

/// Prints a tree of `nodes`, which must be sorted by name.
pub(crate) fn print(nodes: &[Node]) -> Vec<u8> {
    let mut json = JsonWriter::with_capacity(400 * nodes.len() + 16);
    json.raw("{\"nodes\":[");
    for node in nodes {
        json.comma();
        node::print(&mut json, node);
    }
    json.raw("]}\n");
    json.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::node::tests::file;

    #[test]
    fn an_empty_tree_is_printed_as_restic_does() {
        assert_eq!(print(&[]), b"{\"nodes\":[]}\n");
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let nodes = [file(b"a"), file(b"b\xff\n"), file("日本 <&>".as_bytes())];
        let tree = Tree::parse(&print(&nodes)).unwrap();
        assert_eq!(tree.nodes, nodes);
        assert_eq!(tree.refused, Vec::<String>::new());
        assert_eq!(tree.get(b"b\xff\n"), Some(&nodes[1]));
        assert_eq!(tree.get(b"c"), None);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_and_the_rest_is_read() {
        let nodes = [
            file(b".."),
            file(b"/etc/passwd"),
            file(b"a"),
            file(b"../x"),
            file(b""),
        ];
        let tree = Tree::parse(&print(&nodes)).unwrap();
        assert_eq!(tree.nodes, [file(b"a")]);
        assert_eq!(tree.refused.len(), 4);
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        let nodes = [file(b"a"), file(b"a"), file(b"b")];
        let tree = Tree::parse(&print(&nodes)).unwrap();
        assert_eq!(tree.nodes, [file(b"b")]);
        assert_eq!(tree.refused, ["`a`: name occurs twice"]);
    }
}
