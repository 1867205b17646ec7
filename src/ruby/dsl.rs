//! The words that a kind of file adds to Ruby: those of metadata.rb, of a Berksfile, ...

use std::sync::Arc;

use super::fail::Eval;
use super::interpreter::Interpreter;
use super::syntax::Span;
use super::value::{ProcId, Value};

/// A call with its arguments evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The method.
    pub(crate) name: Arc<str>,
    /// The arguments. Keywords are a hash at the end.
    pub(crate) args: Vec<Value>,
    /// Whether the last argument is a hash written without braces.
    pub(crate) keywords: bool,
    /// The block.
    pub(crate) block: Option<ProcId>,
    /// The method's name in the text.
    pub(crate) name_span: Span,
    /// The arguments in the text, or the name where there are none.
    pub(crate) args_span: Span,
}

/// The words of one kind of file, on the object that the file is evaluated in.
pub(crate) trait Dsl {
    /// What `self.class` is called.
    fn class_name(&self) -> &'static str;

    /// Whether `respond_to?(name)` holds, apart from what every object has.
    fn knows(&self, name: &str) -> bool;

    /// Whether the object keeps something of its own in an instance variable.
    fn has_variable(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Calls a word. None where it is no word of this kind of file.
    fn call(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval<Option<Value>>;

    /// Calls a word that neither this kind of file nor Ruby has.
    fn unknown(&mut self, cx: &mut Interpreter<'_>, call: &Invocation) -> Eval;

    /// The file was evaluated to its end: the last look at values that may have changed since they
    /// were declared.
    fn finish(&mut self, cx: &mut Interpreter<'_>) -> Eval<()> {
        let _ = cx;
        Ok(())
    }

    /// Calls a method of one of this kind of file's own objects, [`Value::Object`]. None where it
    /// has no such method.
    fn call_object(
        &mut self,
        cx: &mut Interpreter<'_>,
        object: u32,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let _ = (cx, object, call);
        Ok(None)
    }
}
