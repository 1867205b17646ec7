//! The methods of items that need an order.

use std::cmp::Ordering;

use crate::ruby::dsl::{Dsl, Invocation};
use crate::ruby::fail::Eval;
use crate::ruby::interpreter::Interpreter;
use crate::ruby::value::{ProcId, Value};

impl Interpreter<'_> {
    /// Methods that need an order.
    pub(super) fn items_ordered(
        &mut self,
        dsl: &mut dyn Dsl,
        items: &[Value],
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        Ok(Some(match &*call.name {
            "sort" => {
                let sorted = self.sorted(dsl, items.to_vec(), call.block)?;
                self.array(sorted)?
            }
            "sort_by" | "min_by" | "max_by" => {
                let block = self.block(call)?;
                let mut keyed = Vec::with_capacity(items.len());
                for item in items {
                    let key = self.call_block(dsl, block, &[*item])?;
                    keyed.push((key, *item));
                }
                if &*call.name != "sort_by" {
                    return self.extreme(&keyed, call).map(Some);
                }
                let sorted = self.merge_sorted(keyed, &mut |this, a, b| this.order(a.0, b.0))?;
                self.array(sorted.into_iter().map(|(_, item)| item).collect())?
            }
            "min" | "max" => self.least_or_most(dsl, items, call)?,
            "minmax" if call.block.is_none() => {
                let sorted = self.sorted(dsl, items.to_vec(), None)?;
                let first = sorted.first().copied().unwrap_or(Value::Nil);
                let last = sorted.last().copied().unwrap_or(Value::Nil);
                self.array(vec![first, last])?
            }
            "uniq" => {
                let mut seen = std::collections::HashSet::new();
                let mut out = Vec::new();
                for item in items {
                    let by = match call.block {
                        Some(block) => self.call_block(dsl, block, &[*item])?,
                        None => *item,
                    };
                    if seen.insert(self.hashed(by)?) {
                        out.push(*item);
                    }
                }
                self.array(out)?
            }
            _ => return Ok(None),
        }))
    }

    /// `min` and `max`, by the block's order if there is one.
    fn least_or_most(&mut self, dsl: &mut dyn Dsl, items: &[Value], call: &Invocation) -> Eval {
        self.takes(call, 0, 0)?;
        let Some((first, rest)) = items.split_first() else {
            return Ok(Value::Nil);
        };
        let mut best = *first;
        for next in rest {
            let order = match call.block {
                Some(block) => self.block_order(dsl, block, *next, best)?,
                None => self.order(*next, best)?,
            };
            let better = match &*call.name {
                "min" => order.is_lt(),
                _ => order.is_gt(),
            };
            if better {
                best = *next;
            }
        }
        Ok(best)
    }

    /// What a block says about the order of two items.
    fn block_order(
        &mut self,
        dsl: &mut dyn Dsl,
        block: ProcId,
        left: Value,
        right: Value,
    ) -> Eval<Ordering> {
        match self.call_block(dsl, block, &[left, right])? {
            Value::Int(order) => Ok(order.cmp(&0)),
            Value::Nil => {
                let (left, right) = (self.class_of(left), self.class_of(right));
                let message = format!("comparison of {left} with {right} failed");
                self.raise("ArgumentError", message)
            }
            _ => self.unsupported("an order that is no integer"),
        }
    }

    /// `min_by` and `max_by`: the first of several equal ones.
    fn extreme(&mut self, keyed: &[(Value, Value)], call: &Invocation) -> Eval {
        self.takes(call, 0, 0)?;
        let Some((first, rest)) = keyed.split_first() else {
            return Ok(Value::Nil);
        };
        let mut best = *first;
        for next in rest {
            let order = self.order(next.0, best.0)?;
            let better = match &*call.name {
                "min_by" => order.is_lt(),
                _ => order.is_gt(),
            };
            if better {
                best = *next;
            }
        }
        Ok(best.1)
    }

    pub(in crate::ruby) fn sorted(
        &mut self,
        dsl: &mut dyn Dsl,
        items: Vec<Value>,
        block: Option<ProcId>,
    ) -> Eval<Vec<Value>> {
        self.merge_sorted(items, &mut |this, a, b| match block {
            None => this.order(*a, *b),
            Some(block) => this.block_order(dsl, block, *a, *b),
        })
    }

    /// Sorts with an order that may fail and that the program may have got wrong.
    fn merge_sorted<T: Clone>(
        &mut self,
        items: Vec<T>,
        order: &mut dyn FnMut(&mut Self, &T, &T) -> Eval<Ordering>,
    ) -> Eval<Vec<T>> {
        let mut runs: Vec<Vec<T>> = items.into_iter().map(|item| vec![item]).collect();
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
            let mut pairs = runs.into_iter();
            while let Some(left) = pairs.next() {
                match pairs.next() {
                    Some(right) => merged.push(self.merge(left, right, order)?),
                    None => merged.push(left),
                }
            }
            runs = merged;
        }
        Ok(runs.pop().unwrap_or_default())
    }

    fn merge<T: Clone>(
        &mut self,
        left: Vec<T>,
        right: Vec<T>,
        order: &mut dyn FnMut(&mut Self, &T, &T) -> Eval<Ordering>,
    ) -> Eval<Vec<T>> {
        let mut out = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            match order(self, a, b)? {
                Ordering::Greater => out.extend(right.next()),
                _ => out.extend(left.next()),
            }
        }
        out.extend(left);
        out.extend(right);
        Ok(out)
    }
}
