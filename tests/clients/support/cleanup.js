// What a test has started is ended in the reverse order: clients before the server they are
// connected to.

const stacks = new WeakMap();

/** Has `end` called after the test or suite `t`, before what was registered earlier. */
export function atEnd(t, end) {
  if (!stacks.has(t)) {
    stacks.set(t, []);
    t.after(() => unwind(stacks.get(t)));
  }
  stacks.get(t).push(end);
}

async function unwind(stack) {
  const failures = [];
  while (stack.length > 0) {
    try {
      await stack.pop()();
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw failures[0];
}
