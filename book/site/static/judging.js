// How a prediction is read, judged and summed up, in the words of
// seqkd_lab/lab/shared/predictions; tests/book/test_predictions.py compares the two. This file
// knows neither the page nor the store: predictions.js does.
const seqkdPredictions = (() => {
  "use strict";
  const LONGEST = 80; // characters of a typed text that a note repeats
  const PYTHON_BLANKS =
    "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  const AROUND = new RegExp(`^[${PYTHON_BLANKS}]+|[${PYTHON_BLANKS}]+$`, "g");
  const NUMBER = /[-+]?\p{Nd}[\p{Nd}.,]*(?:e[-+]?\p{Nd}+)?|[-+]?\.\p{Nd}+/giu;
  const WITH_COMMAS = /^[-+]?[1-9]\p{Nd}{0,2}(,\p{Nd}{3})+(\.\p{Nd}+)?$/u;
  const WITH_DOTS = /^[-+]?[1-9]\p{Nd}{0,2}(\.\p{Nd}{3})+,\p{Nd}+$/u;

  class Unreadable extends Error {}

  // ---- numbers, as Python reads and writes them ----

  const cut = (text, length) => [...text].slice(0, length).join("");

  function digitOf(character) {
    let zero = character.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((character.codePointAt(0) - zero) % 10);
  }

  function numberIn(typed) {
    const text = typed.replace(AROUND, "").replace(/\p{Surrogate}/gu, "?");
    const found = cut(text, 1000).replaceAll("−", "-").match(NUMBER) ?? [];
    if (found.length !== 1) {
      const requested = found.length > 1 ? "one number, not several" : "a number";
      throw new Unreadable(`“${cut(text, LONGEST)}”: give ${requested}, such as 3.5`);
    }
    let digits = found[0].replace(/[.,]+$/, "");
    if (WITH_COMMAS.test(digits)) digits = digits.replaceAll(",", "");
    else if (WITH_DOTS.test(digits)) digits = digits.replaceAll(".", "");
    const number = Number(digits.replaceAll(",", ".").replace(/\p{Nd}/gu, digitOf));
    if (!Number.isFinite(number)) {
      throw new Unreadable(
        `“${cut(text, LONGEST)}” is not a number one can compare; give one such as 3.5`,
      );
    }
    return number;
  }

  // Where a number lies exactly between two, JavaScript writes the larger and Python the even one.
  const isTieToEven = (exact, length) =>
    /^50*$/.test(exact.slice(length)) && /[02468]\.?$/.test(exact.slice(0, length));

  function fixed(number, places) { // Python's :.2f, for numbers from 0 on
    const exact = number.toFixed(100);
    const length = exact.indexOf(".") + 1 + places;
    const tied = isTieToEven(exact, length);
    return tied ? exact.slice(0, length).replace(/\.$/, "") : number.toFixed(places);
  }

  function general(number) { // Python's :.4g
    if (number === 0) return Object.is(number, -0) ? "-0" : "0";
    const size = Math.abs(number);
    const [exact, power] = size.toExponential(100).split("e");
    const rounded = isTieToEven(exact, 5) ? `${exact.slice(0, 5)}e${power}` : size.toExponential(3);
    const [mantissa, exponent] = [rounded.split("e")[0], Number(rounded.split("e")[1])];
    const sign = number < 0 ? "-" : "";
    const short = (text) => text.replace(/\.?0*$/, "");
    if (exponent < -4 || exponent > 3) {
      const padded = String(Math.abs(exponent)).padStart(2, "0");
      return `${sign}${short(mantissa)}e${exponent < 0 ? "-" : "+"}${padded}`;
    }
    const four = mantissa.replace(".", "");
    if (exponent < 0) return `${sign}${short(`0.${"0".repeat(-exponent - 1)}${four}`)}`;
    return sign + short(`${four.slice(0, exponent + 1)}.${four.slice(exponent + 1)}`);
  }

  function mean(numbers) { // Neumaier's sum, since Python's fmean is exact
    let sum = 0, lost = 0;
    for (const number of numbers) {
      const next = sum + number;
      lost += Math.abs(sum) >= Math.abs(number) ? sum - next + number : number - next + sum;
      sum = next;
    }
    return (sum + lost) / numbers.length;
  }

  // ---- the kinds of question: how an answer is read, said and judged ----

  const notDecided = (answer, why) => ({
    closeness: 0, right: false, counted: false, error: null,
    words: `You said ${answer}; ${why}. So this prediction is not scored.`,
  });
  const judged = (closeness, right, words, error = null) =>
    ({ closeness, right, words, error, counted: true });

  const choice = {
    read(kind, typed) {
      if (kind.options.includes(typed)) return typed;
      throw new Unreadable(`“${cut(typed, LONGEST)}” is not one of ${kind.options.join(", ")}`);
    },
    fits: (kind, answer) => kind.options.includes(answer),
    say: (kind, answer) => answer,
    judge(kind, answer, value) {
      if (!kind.options.includes(value)) return notDecided(answer, `the answer ${value}`);
      const right = answer === value;
      const words = right ? `Right: ${value}.` : `You said ${answer}; the run gave ${value}.`;
      return judged(Number(right), right, words);
    },
  };

  const number = {
    read: (kind, typed) => numberIn(typed),
    fits: (kind, answer) => Number.isFinite(answer),
    say: (kind, answer) => `${general(answer)} ${kind.unit}`,
    judge(kind, answer, value, interval) {
      const [low, high] = interval ?? [value, value];
      const [said, gave] = [number.say(kind, answer), number.say(kind, value)];
      if (kind.signed && low < high && low <= 0 && 0 <= high) {
        const range = `95% interval ${general(low)} to ${general(high)}`;
        return notDecided(said, `the run gave ${gave}, ${range}, which leaves the sign open`);
      }
      const error = answer - value;
      const within = Math.abs(error) <= kind.tolerance * (1 + 1e-9);
      const near = within || (interval !== null && low <= answer && answer <= high);
      const wrongSign = kind.signed && value !== 0 && answer * value <= 0;
      const words = `You said ${said}; the run gave ${gave}: `;
      if (near && !wrongSign) {
        const why = within ? `within ± ${general(kind.tolerance)}` : "within the interval of the run";
        return judged(1, true, `${words}right, ${why}.`, error);
      }
      const closeness = near ? 0.5 : kind.tolerance / Math.abs(error);
      return judged(closeness, false, words + number.miss(kind, error, wrongSign), error);
    },
    miss(kind, error, wrongSign) {
      const words = `too ${error > 0 ? "high" : "low"} by ${general(Math.abs(error))}`;
      if (wrongSign) return `${words}, and of the wrong sign.`;
      return Math.abs(error) <= 3 * kind.tolerance
        ? `${words}, not far off.`
        : `${words}, far off. What did you not think of?`;
    },
  };

  const ranking = { // judged by the pairs [larger, smaller] that the run decides
    read(kind, typed) {
      const missing = kind.items.filter((item) => !typed.includes(item));
      if (missing.length === 0) return typed;
      throw new Unreadable(`an order holds every item; missing: ${missing.join(", ")}`);
    },
    fits: (kind, answer) =>
      answer.length === kind.items.length && kind.items.every((item) => answer.includes(item)),
    say: (kind, answer) => answer.join(" > "),
    judge(kind, answer, pairs) {
      if (pairs.length === 0) {
        return notDecided(ranking.say(kind, answer), "the run decides no pair of them");
      }
      const inFull = pairs.length === (kind.items.length * (kind.items.length - 1)) / 2;
      const of = inFull ? "pairs" : "pairs that the run decides";
      const said = ranking.say(kind, answer);
      const swapped = pairs.filter(([a, b]) => answer.indexOf(a) > answer.indexOf(b));
      if (swapped.length === 0) {
        return judged(1, true, `Right: ${said}${inFull ? "." : `, in all ${pairs.length} ${of}.`}`);
      }
      const larger = (item) => pairs.filter((pair) => pair[1] === item).length;
      const order = [...kind.items].sort((a, b) => larger(a) - larger(b));
      const gave = inFull ? `the run gave ${ranking.say(kind, order)}: ` : "";
      const inOrder = `${pairs.length - swapped.length} of ${pairs.length} ${of} are in order`;
      const turned = swapped.map((pair) => pair.join(" before ")).join(", ");
      const words = `You said ${said}; ${gave}${inOrder}; turned round: ${turned}.`;
      return judged(1 - swapped.length / pairs.length, false, words);
    },
  };

  const KINDS = { choice, number, ranking };

  // ---- a record: question, kind, answers, the run's value once the reader has seen it ----

  const fresh = ({ question, kind }) =>
    ({ question, kind, answers: [], value: null, interval: null, shown: false });

  const counted = (record) => record.answers.filter((answer) => !answer.after_score).at(-1);

  const judgementOf = (record, value, interval) =>
    KINDS[record.kind.name].judge(record.kind, counted(record).answer, value, interval);

  function isRecord(record) { // false, or an error, for what this script has not written
    const kind = KINDS[record.kind.name];
    const isSound = ({ answer, confidence, after_score: late }) =>
      kind.fits(record.kind, answer) && typeof late === "boolean" &&
      (confidence === null || (confidence >= 0 && confidence <= 100));
    const isJudged = record.value === null || counted(record) === undefined ||
      typeof judgementOf(record, record.value, record.interval).words === "string";
    return typeof record.question === "string" && record.answers.every(isSound) && isJudged;
  }

  // Adds an answer to the record; returns whether it was understood, and what to say.
  function answered(record, howTo, typed, confidence) {
    const kind = KINDS[record.kind.name];
    let answer;
    try {
      answer = kind.read(record.kind, typed);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return { accepted: false, lines: [`Not recorded: ${error.message}.`, `Asked for: ${howTo}.`] };
    }
    const late = record.value !== null || record.shown;
    record.answers.push({ answer, confidence, after_score: late });
    const sure = confidence === null ? "" : `, ${general(confidence)}% sure`;
    const lines = [`Recorded: ${kind.say(record.kind, answer)}${sure}.`];
    const kept = "The result has been shown already, so this answer is kept but not counted.";
    return { accepted: true, lines: late ? [...lines, kept] : lines };
  }

  // ---- the summary ----

  function summed(records) {
    const scored = records.filter((record) => record.value !== null && counted(record));
    const all = scored.map((record) => ({
      ...judgementOf(record, record.value, record.interval), sure: counted(record).confidence,
    }));
    const done = all.filter((judgement) => judgement.counted);
    const open = records.filter((record) => record.value === null).length;
    const late = records.flatMap((record) => record.answers).filter((one) => one.after_score).length;
    const undecided = all.length - done.length;
    const unscored = undecided
      ? [`${undecided} not scored, since the run does not decide.`]
      : [];
    if (done.length === 0) return [`No prediction has been scored yet; ${open} wait.`, ...unscored];
    const right = done.filter((judgement) => judgement.right).length;
    const closeness = fixed(mean(done.map((judgement) => judgement.closeness)), 2);
    return [
      `${done.length} predictions scored, ${right} right; closeness ${closeness} on average (of 1).`,
      ...side(done), ...calibration(done), ...unscored,
      ...(open ? [`${open} not scored yet.`] : []),
      ...(late ? [`${late} ${late > 1 ? "answers" : "answer"} came after the result was shown: ` +
        "kept, not counted."] : []),
    ];
  }

  function side(judgements) {
    const misses = judgements.filter(({ error, right }) => error !== null && !right);
    const high = misses.filter(({ error }) => error > 0).length;
    return misses.length > 1
      ? [`Of ${misses.length} numbers that missed, ${high} were too high.`]
      : [];
  }

  function calibration(judgements) {
    const stated = judgements.filter(({ sure }) => sure !== null);
    if (stated.length === 0) return [];
    const sure = mean(stated.map((judgement) => judgement.sure));
    const right = 100 * mean(stated.map((judgement) => Number(judgement.right)));
    const differing = sure > right ? "more sure than right" : "less sure than right";
    const meaning = Math.abs(sure - right) > 10 ? differing : "as sure as right";
    const few = stated.length < 8 ? "; with so few it may be chance" : "";
    const shares = `${fixed(sure, 0)}% sure on average, ${fixed(right, 0)}% right`;
    return [`Calibration over ${stated.length}: ${shares}: ${meaning}${few}.`];
  }

  return { KINDS, answered, counted, fresh, general, isRecord, judgementOf, summed };
})();
