import { Box } from "@mantine/core";
import { useMemo } from "react";
import { encode, renderSVG } from "uqr";

/** A QR code, black on white in every scheme: cameras read no other as well. label says what it leads to. */
export function QRCode({ value, label, size = 200 }: { value: string; label: string; size?: number }) {
  const { data, size: modules } = useMemo(() => encode(value, { ecc: "M", border: 3 }), [value]);
  const path = useMemo(() => data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join(""), [data]);
  return (
    <Box component="svg" role="img" aria-label={label} viewBox={`0 0 ${modules} ${modules}`} w="100%" maw={size} style={{ display: "block", background: "#fff", borderRadius: 8 }} {...{ shapeRendering: "crispEdges" }}>
      <path d={path} fill="#000" />
    </Box>
  );
}

/** The same as a file. */
export function qrSVG(value: string): string {
  return renderSVG(value, { ecc: "M", border: 3 });
}

/** The same as a picture, wide enough for print. */
export async function qrPNG(value: string, width = 1024): Promise<Blob> {
  const { data, size } = encode(value, { ecc: "M", border: 3 });
  const scale = Math.max(1, Math.floor(width / size));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  const draw = canvas.getContext("2d");
  if (!draw) {
    throw new Error("BUG: the browser draws no pictures");
  }
  draw.fillStyle = "#fff";
  draw.fillRect(0, 0, canvas.width, canvas.height);
  draw.fillStyle = "#000";
  data.forEach((row, y) => row.forEach((dark, x) => dark && draw.fillRect(x * scale, y * scale, scale, scale)));
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("BUG: no picture was made"))), "image/png"));
}
