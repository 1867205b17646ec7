//! Exceptions made and raised, and what else leaves a block from within.

use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::{Eval, Exit, Fail};
use crate::ruby::interpreter::Interpreter;
use crate::ruby::value::{Exception, ExceptionId, Value};
use crate::ruby::{classes, exceptions};

impl Interpreter<'_> {
    pub(super) fn loop_call(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        let block = self.block(call)?;
        loop {
            match self.call_block(dsl, block, &[]).map_err(Fail::into_exit) {
                Ok(_) => {}
                Err(Exit::Raise { exception, at }) => {
                    if exceptions::is_a(self.heap[exception].class, "StopIteration") {
                        return Ok(Value::Nil);
                    }
                    return Err(Exit::Raise { exception, at }.into());
                }
                Err(exit) => return Err(exit.into()),
            }
        }
    }

    pub(super) fn catch(&mut self, dsl: &mut dyn Dsl, call: &Invocation) -> Eval {
        let wanted = self.one(call)?;
        let block = self.block(call)?;
        match self
            .call_block(dsl, block, &[wanted])
            .map_err(Fail::into_exit)
        {
            Ok(value) => Ok(value),
            Err(Exit::Throw { tag, value }) if tag == wanted => Ok(value),
            Err(exit) => Err(exit.into()),
        }
    }

    /// `raise`, with a text, a class, a class and a text, an exception, or nothing.
    pub(super) fn raise_call(&mut self, dsl: &mut dyn Dsl, scope: u32, call: &Invocation) -> Eval {
        self.takes(call, 0, 3)?;
        let message = call.args.get(1).copied();
        let exception = match call.args.first() {
            None => match self.current_exception {
                Some(Value::Exception(id)) => id,
                _ => return self.raise("RuntimeError", "unhandled exception"),
            },
            Some(Value::Exception(id)) => match message {
                None => *id,
                Some(message) => {
                    let message = self.display(message)?;
                    let class = self.heap[*id].class;
                    self.heap.exception_object(Exception { class, message })
                }
            },
            Some(Value::Module(class)) if exceptions::class(class).is_some() => {
                let args: Vec<Value> = message.into_iter().collect();
                match self.send(dsl, scope, Value::Module(class), "new", &args)? {
                    Value::Exception(id) => id,
                    _ => return self.raise("TypeError", "exception object expected"),
                }
            }
            Some(value) => match self.string_like(*value).map(str::to_owned) {
                Some(text) => return self.raise("RuntimeError", text),
                None => return self.raise("TypeError", "exception class/object expected"),
            },
        };
        let at = self.here;
        Err(Exit::Raise { exception, at }.into())
    }

    /// `Class.new(message)` of an exception.
    pub(in crate::ruby) fn new_exception(
        &mut self,
        class: &'static str,
        call: &Invocation,
    ) -> Eval {
        self.takes(call, 0, 1)?;
        let message = match call.args.first() {
            None => class.to_owned(),
            Some(message) => self.display(*message)?,
        };
        self.charge(96 + message.len() as u64)?;
        let exception = self.heap.exception_object(Exception { class, message });
        Ok(Value::Exception(exception))
    }

    /// The methods of an exception.
    pub(in crate::ruby) fn exception_method(
        &mut self,
        receiver: ExceptionId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "message" | "to_s" | "full_message" => {
                let message = self.heap[receiver].message.clone();
                self.string(message)?
            }
            "class" => match classes::named(self.heap[receiver].class) {
                Some(class) => Value::Module(class),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }
}
