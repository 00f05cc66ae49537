// Words that people see stand in src/text and nowhere else: another language would not reach them.
import ts from "typescript";
import { describe, expect, test } from "vitest";

import { fill } from ".";

const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });

// Attributes, and properties of objects, that hold words.
const worded = new Set([
  "label", "placeholder", "title", "alt", "description", "error", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "message", "header", "heading", "text",
  "children", "nothingFoundMessage", "emptyText", "tooltip", "confirm", "cancel",
]);

// Names and forms that are the same in every language.
const everywhere = /\b(Edgeref|sub\d|Asia\/Kolkata|shop\.example|UPI|IMPS|NEFT|RTGS|PAN|GSTIN|UTR|IFSC|CSV|JSON|PDF|PNG|SVG|QR|URL|HTTP|GET|POST|HMAC|SHA-?256|INR|USD|UTC)\b|https?:\/\/\S*|\{\w+\}/g;
const letters = /\p{L}{2,}/u;

const says = (text: string): boolean => letters.test(text.replace(everywhere, ""));

/** The texts that an expression may have as its value, as far as they stand in it. */
function literals(e: ts.Expression): string[] {
  if (ts.isStringLiteralLike(e)) {
    return [e.text];
  }
  if (ts.isTemplateExpression(e)) {
    return [e.head.text, ...e.templateSpans.flatMap((s) => [s.literal.text, ...literals(s.expression)])];
  }
  if (ts.isConditionalExpression(e)) {
    return [...literals(e.whenTrue), ...literals(e.whenFalse)];
  }
  if (ts.isBinaryExpression(e)) {
    const either = [ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.PlusToken].includes(e.operatorToken.kind);
    return either ? [...literals(e.left), ...literals(e.right)] : e.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken ? literals(e.right) : [];
  }
  return ts.isParenthesizedExpression(e) || ts.isAsExpression(e) ? literals(e.expression) : [];
}

/** What a file says by itself, with the lines. */
function wordsIn(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const note = (node: ts.Node, texts: string[]) => {
    for (const text of texts.filter(says)) {
      found.push(`${name}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${text.trim()}`);
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) {
      note(node, [node.text]);
    } else if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) {
      note(node, literals(node.expression));
    } else if (ts.isJsxAttribute(node) && node.initializer && worded.has(node.name.getText())) {
      if (ts.isStringLiteral(node.initializer)) {
        note(node, [node.initializer.text]);
      } else if (ts.isJsxExpression(node.initializer) && node.initializer.expression) {
        note(node, literals(node.initializer.expression));
      }
    } else if (ts.isPropertyAssignment(node) && worded.has(node.name.getText().replace(/["']/g, ""))) {
      note(node, literals(node.initializer));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe("words", () => {
  test("are found wherever people would see them", () => {
    const source = '<p title="One word">Two <b aria-label={ok ? "three x" : t.y}>{n > 1 && "four"} {`five ${n}`}</b><i className="no">{t.x}</i></p>; show({ message: "six" })';
    expect(wordsIn("x.tsx", source).map((w) => w.split(": ")[1])).toEqual(["One word", "Two", "three x", "four", "five", "six"]);
  });

  test("of every page stand in src/text", () => {
    expect(Object.keys(sources).length).toBeGreaterThan(100);
    expect(Object.entries(sources).flatMap(([name, source]) => wordsIn(name, source))).toEqual([]);
  });
});

describe("fill", () => {
  test("puts values into their places, in any order", () => {
    expect(fill("{b} of {a}", { a: 1, b: "two" })).toBe("two of 1");
    expect(fill("{a}", {})).toBe("{a}");
  });
});
