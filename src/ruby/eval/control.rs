//! `case`, loops, and what catches exceptions.

use crate::ruby::dsl::Dsl;
use crate::ruby::exceptions;
use crate::ruby::fail::{Eval, Exit, Fail};
use crate::ruby::interpreter::Interpreter;
use crate::ruby::syntax::{Begin, Node, Rescue, When};
use crate::ruby::value::{ExceptionId, Value};

impl Interpreter<'_> {
    pub(super) fn eval_case(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        subject: Option<&Node>,
        whens: &[When],
        otherwise: Option<&Node>,
    ) -> Eval {
        let subject = match subject {
            Some(node) => Some(self.eval(dsl, scope, node)?),
            None => None,
        };
        for when in whens {
            for condition in &when.conditions {
                if self.holds(dsl, scope, subject, condition)? {
                    return self.eval_optional(dsl, scope, when.body.as_ref());
                }
            }
        }
        self.eval_optional(dsl, scope, otherwise)
    }

    /// Whether one condition of a `when` holds; `*list` is several.
    fn holds(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        subject: Option<Value>,
        condition: &Node,
    ) -> Eval<bool> {
        for condition in self.eval_list(dsl, scope, std::slice::from_ref(condition))? {
            let holds = match subject {
                None => condition.truthy(),
                Some(subject) => self.case_equal(dsl, scope, condition, subject)?,
            };
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Runs a loop, whose `break` leaves it.
    pub(super) fn looped(&mut self, scope: u32, work: impl FnOnce(&mut Self) -> Eval) -> Eval {
        self.scopes[scope as usize].loops += 1;
        let result = work(self);
        self.scopes[scope as usize].loops -= 1;
        match result.map_err(Fail::into_exit) {
            Ok(value) => Ok(value),
            Err(Exit::LoopBreak(value)) => Ok(value),
            Err(exit) => Err(exit.into()),
        }
    }

    pub(super) fn eval_while(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        test: &Node,
        body: Option<&Node>,
        negated: bool,
        body_first: bool,
    ) -> Eval {
        if body_first {
            self.eval_round(dsl, scope, body)?;
        }
        while self.eval(dsl, scope, test)?.truthy() != negated {
            self.eval_round(dsl, scope, body)?;
        }
        Ok(Value::Nil)
    }

    /// One round of a loop, which `next` ends.
    pub(super) fn eval_round(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        body: Option<&Node>,
    ) -> Eval<()> {
        match self.eval_optional(dsl, scope, body) {
            Err(fail) if matches!(fail.exit(), Exit::Next(_)) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    pub(super) fn eval_begin(&mut self, dsl: &mut dyn Dsl, scope: u32, begin: &Begin) -> Eval {
        let result = self.eval_rescued(dsl, scope, begin);
        let Some(ensure) = &begin.ensure else {
            return result;
        };
        // A limit or an unknown construct ends everything at once.
        if let Err(fail) = &result
            && matches!(fail.exit(), Exit::Error(_))
        {
            return result;
        }
        self.eval(dsl, scope, ensure)?;
        result
    }

    fn eval_rescued(&mut self, dsl: &mut dyn Dsl, scope: u32, begin: &Begin) -> Eval {
        loop {
            let depth = self.depth;
            let result = self.eval_optional(dsl, scope, begin.body.as_ref());
            let (exception, at) = match result.map_err(Fail::into_exit) {
                Ok(value) => {
                    return match &begin.otherwise {
                        Some(otherwise) => self.eval(dsl, scope, otherwise),
                        None => Ok(value),
                    };
                }
                Err(Exit::Raise { exception, at }) => (exception, at),
                Err(exit) => return Err(exit.into()),
            };
            self.depth = depth;
            let mut taken = None;
            for rescue in &begin.rescues {
                if self.rescues(dsl, scope, rescue, exception)? {
                    taken = Some(rescue);
                    break;
                }
            }
            let Some(rescue) = taken else {
                return Err(Exit::Raise { exception, at }.into());
            };
            let before = self.current_exception.replace(Value::Exception(exception));
            let result = self.eval_rescue(dsl, scope, rescue, exception);
            self.current_exception = before;
            match result {
                Err(fail) if matches!(fail.exit(), Exit::Retry) => self.step(1)?,
                other => return other,
            }
        }
    }

    fn eval_rescue(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        rescue: &Rescue,
        exception: ExceptionId,
    ) -> Eval {
        if let Some(target) = &rescue.target {
            self.assign(dsl, scope, target, Value::Exception(exception))?;
        }
        self.eval_optional(dsl, scope, rescue.body.as_ref())
    }

    /// Whether a `rescue` takes an exception.
    fn rescues(
        &mut self,
        dsl: &mut dyn Dsl,
        scope: u32,
        rescue: &Rescue,
        exception: ExceptionId,
    ) -> Eval<bool> {
        let class = self.heap[exception].class;
        if rescue.classes.is_empty() {
            return Ok(exceptions::is_a(class, "StandardError"));
        }
        for node in &rescue.classes {
            for wanted in self.eval_list(dsl, scope, std::slice::from_ref(node))? {
                match wanted {
                    Value::Module(wanted) if exceptions::is_a(class, wanted) => return Ok(true),
                    Value::Module(_) => {}
                    _ => return self.unsupported("`rescue` of what is no class"),
                }
            }
        }
        Ok(false)
    }
}
