//! `sigma_compiler!`, whose output is the same in every compilation.
//!
//! A prover and a verifier that were compiled apart have to agree on the order of a proof's commitments. `sigma-compiler-core` 0.2.3
//! walks a `HashSet` where it commits to the secrets that several arms of an `OR` speak of (`transform::enforce_disjunction_invariant`),
//! so that this order is another one each time the macro runs. Here it is given one such secret at a time, in the order of their
//! names: nothing is left to order. What is proven, and how, remains that library's work.
//!
//! Architecture invariant: it proves nothing and knows no statement. All cryptography is the library's, called through its public functions.
//!
//! See `docs/adr/0027-circuits-compile-the-same.md`.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use sigma_compiler_core::sigma::combiners::StatementTree;
use sigma_compiler_core::sigma::types::VarDict;
use sigma_compiler_core::{CodeGen, SigmaCompSpec, TaggedIdent, TaggedVarDict};
use syn::{Error, Ident, Result, parse_macro_input};

/// The macro of that name of the crate `sigma-compiler`, which describes what it takes.
#[proc_macro]
pub fn sigma_compiler(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let spec = parse_macro_input!(input as SigmaCompSpec);
    compile(spec).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// The code for both sides of the proof that `spec` describes.
fn compile(mut spec: SigmaCompSpec) -> Result<TokenStream> {
    let mut codegen = CodeGen::new(&spec);
    for secret in shared(&mut spec.statements, &spec.vars)? {
        commit(&mut codegen, &mut spec, &secret)?;
    }
    finish(&mut codegen, &mut spec)?;
    Ok(codegen.generate(&mut spec, true, true))
}

/// What the library does to statements; by now it finds nothing in them that it would have to order, and checks that.
fn finish(codegen: &mut CodeGen, spec: &mut SigmaCompSpec) -> Result<()> {
    sigma_compiler_core::enforce_disjunction_invariant(codegen, spec)?;
    sigma_compiler_core::apply_transformations(codegen, spec)
}

/// The secrets of which several branches of an `OR` speak (the root is a branch as well), by name.
///
/// # Errors
///
/// If one of them is tagged `rand`: such a one would be committed to beside each of the others.
fn shared(statements: &mut StatementTree, vars: &TaggedVarDict) -> Result<Vec<Ident>> {
    let dictionary: VarDict = vars.iter().map(|(name, kind)| (name.clone(), kind.into())).collect();
    let mut branches = BTreeMap::new();
    statements.for_each_disjunction_branch(&mut |branch, _path| {
        for secret in branch.disjunction_branch_priv_scalars(&dictionary) {
            *branches.entry(secret).or_insert(0) += 1;
        }
        Ok(())
    })?;
    let shared: Vec<Ident> =
        branches.into_iter().filter(|(_, count)| *count > 1).map(|(secret, _)| secret).collect();
    for secret in &shared {
        if let Some(TaggedIdent::Scalar(scalar)) = vars.get(&secret.to_string())
            && scalar.is_rand
        {
            return Err(Error::new(secret.span(), "a random scalar may appear in one branch only"));
        }
    }
    Ok(shared)
}

/// Lets the library commit to `secret` alone: it takes every other variable for a public one meanwhile.
fn commit(codegen: &mut CodeGen, spec: &mut SigmaCompSpec, secret: &Ident) -> Result<()> {
    let mut hidden = Vec::new();
    for (name, variable) in &mut spec.vars {
        if let TaggedIdent::Scalar(scalar) = variable
            && !scalar.is_pub
            && !scalar.is_rand
            && scalar.id != *secret
        {
            scalar.is_pub = true;
            hidden.push(name.clone());
        }
    }
    let done = sigma_compiler_core::enforce_disjunction_invariant(codegen, spec);
    for name in hidden {
        if let Some(TaggedIdent::Scalar(scalar)) = spec.vars.get_mut(&name) {
            scalar.is_pub = false;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Four secrets that both arms speak of.
    const CHOICE: &str = "choice,
        (a, b, c, d),
        (A, B, C, D, cind P, cind const Q),
        A = a * P, B = b * P, C = c * P, D = d * P,
        OR(AND(a = 1, b = 2, c = 3, d = 4), AND(a = b, c = d)),
        (0..8).contains(a)";

    /// What was written of `CHOICE` in so many runs, with the secrets taken one at a time, or as the library takes them.
    fn written(ordered: bool) -> BTreeSet<String> {
        let run = |_| {
            let mut spec: SigmaCompSpec = syn::parse_str(CHOICE).unwrap();
            let mut codegen = CodeGen::new(&spec);
            let shared = shared(&mut spec.statements, &spec.vars).unwrap();
            assert_eq!(shared.len(), 4);
            for secret in shared.iter().filter(|_| ordered) {
                commit(&mut codegen, &mut spec, secret).unwrap();
            }
            finish(&mut codegen, &mut spec).unwrap();
            format!("{:?} {:?}", codegen.code_strings(), spec.statements)
        };
        (0..50).map(run).collect()
    }

    #[test]
    fn the_same_is_written_each_time() {
        assert_eq!(written(true).len(), 1);
    }

    /// When this fails, the library has an order of its own, and this crate can go.
    #[test]
    fn the_library_writes_another_order_each_time() {
        assert!(written(false).len() > 1);
    }

    #[test]
    fn a_random_scalar_in_two_branches_is_refused() {
        let text =
            "choice, (a, rand r), (A, B, cind P, cind Q), OR(A = a * P + r * Q, B = a * P + r * Q)";
        let error = compile(syn::parse_str(text).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "a random scalar may appear in one branch only");
    }
}
