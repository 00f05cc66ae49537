import { describe, expect, it } from "vitest";

import { address, checkDestination, checkSlug, startPage } from "./address";

describe("address", () => {
  const at = (p?: Parameters<typeof address>[2]) => address("https://go.example", "spring-sale", p);
  it("is the tracker's alone without parameters", () => expect([at(), at({ sub1: "  ", utm_source: "" })]).toEqual(["https://go.example/spring-sale", "https://go.example/spring-sale"]));
  it("has its parameters in one order, escaped", () =>
    expect(at({ utm_campaign: "Diwali & more", utm_source: "insta", sub1: "a=b", sub2: "हिन्दी" })).toBe(
      "https://go.example/spring-sale?sub1=a%3Db&sub2=%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80&utm_source=insta&utm_campaign=Diwali%20%26%20more",
    ));
  it("keeps a plus as a plus", () => expect(new URL(at({ sub1: "1+1 = 2" })).searchParams.get("sub1")).toBe("1+1 = 2"));
  it("leads elsewhere with its whole query", () => {
    const url = new URL(at({ to: "https://shop.example/a?b=c&d=e#f", sub1: "x" }));
    expect(url.searchParams.get("to")).toBe("https://shop.example/a?b=c&d=e#f");
  });
});

describe("destination", () => {
  const hosts = ["shop.example", "*.wild.example", "dev.example:8443"];
  it.each([
    ["https://shop.example/", undefined],
    ["  https://SHOP.example/a?src={sub1}#x ", undefined],
    ["http://shop.example:80/", undefined],
    ["https://a.b.wild.example/", undefined],
    ["https://dev.example:8443/", undefined],
    ["", "empty"],
    ["shop.example/course", "incomplete"],
    ["https://", "incomplete"],
    ["https:shop.example", "incomplete"],
    ["https:///shop.example/", "incomplete"],
    ["//shop.example/", "incomplete"],
    ["https://shop.example\\@evil.example/", "incomplete"],
    ["https://shop.example/a b", "incomplete"],
    ["ftp://shop.example/", "scheme"],
    ["javascript:alert(1)", "incomplete"],
    ["https://me@shop.example/", "user"],
    ["https://shop.example@evil.example/", "user"],
    ["https://evil.example/#shop.example", "host"],
    ["https://wild.example/", "host"],
    ["https://evilwild.example/", "host"],
    ["https://shop.example:8443/", "host"],
    ["https://dev.example/", "host"],
    ["https://shop.example/" + "x".repeat(2048), "long"],
  ])("%s: %s", (text, want) => expect(checkDestination(text, hosts)).toBe(want));
  it("begins where the program is", () => expect([startPage(hosts), startPage(["*.wild.example"])]).toEqual(["https://shop.example/", ""]));
});

it("knows slugs", () => {
  expect(["abc", "a b cd", "x".repeat(65), "spring_sale.2~x-Y"].map(checkSlug)).toEqual(["short", "characters", "long", undefined]);
});
