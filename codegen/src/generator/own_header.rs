//! Takes the header `api-version` out of the generated client, which the platform does not know.
//!
//! progenitor has no setting for it, and taking it out of each request costs more than anything else that the layer over
//! the client does. Where its code has another form than is looked for here, it stays as it is: the hooks see to it that
//! the header is not sent.

use quote::ToTokens;
use syn::{Block, Expr, File, ImplItem, Item, Local, Pat, Stmt};

const HEADER: &str = "\"api-version\"";
/// The variable that holds the headers of a request.
const HEADERS: &str = "header_map";

/// Takes the header out of every method of a generated client.
pub fn remove(file: &mut File) {
    let implementations = file.items.iter_mut().filter_map(|item| match item {
        Item::Impl(implementation) => Some(&mut implementation.items),
        _ => None,
    });
    for item in implementations.flatten() {
        if let ImplItem::Fn(method) = item {
            remove_from(&mut method.block);
        }
    }
}

fn remove_from(block: &mut Block) {
    let adds = |statement: &Stmt| statement.to_token_stream().to_string().contains(HEADER);
    let Some(at) = block.stmts.iter().position(adds) else { return };
    if !matches!(&block.stmts[at], Stmt::Expr(Expr::MethodCall(call), _) if is_headers(&call.receiver)) {
        return;
    }
    block.stmts.remove(at);
    // Other headers go the same way. Where there are none, the empty map goes too.
    let fills = |statement: &Stmt| matches!(statement, Stmt::Expr(..)) && mentions_headers(statement);
    if block.stmts.iter().any(fills) {
        return;
    }
    let uses = block.stmts.iter_mut().filter_map(|statement| match statement {
        Stmt::Local(Local { init: Some(init), .. }) => Some(&mut *init.expr),
        _ => None,
    });
    let removed = uses.map(remove_call).filter(|removed| *removed).count();
    if removed == 1 {
        block.stmts.retain(
            |statement| !matches!(statement, Stmt::Local(Local { pat: Pat::Ident(name), .. }) if name.ident == HEADERS),
        );
    }
}

/// Takes `.headers(header_map)` out of a chain of calls; false where it is not in it.
fn remove_call(chain: &mut Expr) -> bool {
    match chain {
        Expr::Try(tried) => remove_call(&mut tried.expr),
        Expr::MethodCall(call) if call.method == "headers" && call.args.iter().any(is_headers) => {
            *chain = (*call.receiver).clone();
            true
        }
        Expr::MethodCall(call) => remove_call(&mut call.receiver),
        _ => false,
    }
}

fn is_headers(expression: &Expr) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(HEADERS))
}

fn mentions_headers(statement: &Stmt) -> bool {
    let text = statement.to_token_stream().to_string();
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == HEADERS)
}
