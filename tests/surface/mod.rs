//! What generated code is to those who call it: public items, with data but without the code that handles it.

use syn::{Attribute, Block, Expr, Fields, File, ImplItem, Item, Stmt, Visibility};

/// The public surface of a file of generated code, formatted, one item after another.
pub fn of(code: &str) -> String {
    let file: File = syn::parse_str(code).expect("generated code is Rust");
    let items = file.items.into_iter().filter_map(public).collect();
    let text = prettyplease::unparse(&File { shebang: None, frontmatter: None, attrs: Vec::new(), items });
    ["::std::option::", "::std::string::", "::std::vec::", "::std::fmt::", "::std::str::", "::std::time::"]
        .iter()
        .chain(&["::std::convert::", "::std::result::", "::serde::", "crate::facts::", "crate::generated::"])
        .fold(text, |text, path| text.replace(path, ""))
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// An item without what callers do not see; `None` where nothing is left.
fn public(item: Item) -> Option<Item> {
    match item {
        Item::Const(mut item) => {
            item.attrs.clear();
            is_public(&item.vis).then_some(Item::Const(item))
        }
        Item::Enum(mut item) => {
            trim(&mut item.attrs);
            item.variants.iter_mut().for_each(|variant| trim(&mut variant.attrs));
            is_public(&item.vis).then_some(Item::Enum(item))
        }
        Item::Struct(mut item) => {
            trim(&mut item.attrs);
            if let Fields::Named(fields) = &mut item.fields {
                fields.named = fields.named.clone().into_iter().filter(|field| is_public(&field.vis)).collect();
            }
            item.fields.iter_mut().for_each(|field| trim(&mut field.attrs));
            is_public(&item.vis).then_some(Item::Struct(item))
        }
        // A trait of the crate's own is for the crate alone.
        Item::Impl(item) if item.trait_.as_ref().is_some_and(|(path, _)| path.segments[0].ident == "crate") => None,
        Item::Impl(mut item) => {
            trim(&mut item.attrs);
            let of_trait = item.trait_.is_some();
            item.items =
                std::mem::take(&mut item.items).into_iter().filter_map(|part| member(part, of_trait)).collect();
            (of_trait || !item.items.is_empty()).then_some(Item::Impl(item))
        }
        // How a conversion fails is the same for every document.
        Item::Mod(item) if item.ident == "error" => None,
        Item::Mod(mut item) => {
            trim(&mut item.attrs);
            let (_, items) = item.content.as_mut()?;
            *items = std::mem::take(items).into_iter().filter_map(public).collect();
            (is_public(&item.vis) && !items.is_empty()).then_some(Item::Mod(item))
        }
        _ => None,
    }
}

/// A member of an implementation: its signature, and its body where that is data.
fn member(part: ImplItem, of_trait: bool) -> Option<ImplItem> {
    match part {
        ImplItem::Const(mut part) => {
            part.attrs.clear();
            is_public(&part.vis).then_some(ImplItem::Const(part))
        }
        ImplItem::Fn(mut part) => {
            part.attrs.clear();
            // A constrained string checks its constraints here.
            let checks = part.sig.ident == "from_str";
            if !checks && !is_data(&part.block) {
                part.block.stmts.clear();
            }
            (checks || (!of_trait && is_public(&part.vis))).then_some(ImplItem::Fn(part))
        }
        _ => None,
    }
}

/// Whether a body gives each value of an enum something of its own.
fn is_data(body: &Block) -> bool {
    match body.stmts.as_slice() {
        [Stmt::Expr(Expr::Match(body), None)] => matches!(&*body.expr, Expr::Path(path) if path.path.is_ident("self")),
        _ => false,
    }
}

fn trim(attributes: &mut Vec<Attribute>) {
    let kept = ["derive", "serde", "non_exhaustive"];
    attributes.retain(|attribute| kept.iter().any(|kept| attribute.path().is_ident(kept)));
}
