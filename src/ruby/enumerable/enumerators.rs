//! Methods that wait for their block.

use crate::ruby::assign::plain_call;
use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::strings::count;
use crate::ruby::value::{Array, Enumerator, EnumeratorId, Proc, ProcId, Value};

impl Interpreter<'_> {
    /// A method that waits for its block.
    pub(in crate::ruby) fn enumerator(&mut self, receiver: Value, call: &Invocation) -> Eval {
        self.charge(64)?;
        let enumerator = Enumerator {
            receiver,
            method: call.name.clone(),
            args: call.args.clone(),
            keywords: call.keywords,
        };
        Ok(Value::Enumerator(self.heap.enumerator_object(enumerator)))
    }

    pub(in crate::ruby) fn enumerator_method(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        id: EnumeratorId,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        let waiting = self.heap[id].clone();
        let block = match (&*call.name, call.block) {
            ("with_index" | "each_with_index", Some(block)) => {
                let next = self.index_offset(call)?;
                Some(self.new_proc(Proc::Indexed { block, next })?)
            }
            ("each", Some(block)) => Some(block),
            _ => None,
        };
        if let Some(block) = block {
            return self.resume(dsl, scope, &waiting, block).map(Some);
        }
        if matches!(
            &*call.name,
            "next" | "peek" | "rewind" | "with_object" | "size"
        ) {
            return Ok(None);
        }
        let list = self.heap.array_object(Array::default());
        let collector = self.new_proc(Proc::Collector(list))?;
        self.resume(dsl, scope, &waiting, collector)?;
        if matches!(&*call.name, "with_index" | "each_with_index") {
            let first = self.index_offset(call)?;
            let mut pairs = Vec::new();
            for (number, item) in self.heap[list].items.clone().into_iter().enumerate() {
                let number = Value::Int(first.saturating_add(count(number)));
                pairs.push(self.array(vec![item, number])?);
            }
            return self.array(pairs).map(Some);
        }
        self.value_method(dsl, scope, Value::Array(list), call)
    }

    /// Where `with_index` begins to count.
    fn index_offset(&mut self, call: &Invocation) -> Eval<i64> {
        match call.args.first() {
            Some(Value::Nil) | None => Ok(0),
            Some(offset) => self.int_of(*offset),
        }
    }

    /// Calls the method that waited, with its block.
    fn resume(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        waiting: &Enumerator,
        block: ProcId,
    ) -> Eval {
        let call = Invocation {
            keywords: waiting.keywords,
            block: Some(block),
            ..plain_call(&waiting.method, waiting.args.clone(), self.here)
        };
        let receiver = waiting.receiver;
        self.deeper(|this| this.call_method(dsl, scope, receiver, &call))
    }
}
