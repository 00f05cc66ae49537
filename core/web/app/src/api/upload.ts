// Sends a file with its progress, which fetch does not tell.
import { accessToken } from "../session/session";
import { askProof } from "./fetch";
import { isProblem } from "./problem";

type Method = "PUT" | "POST";

/** Sends a file. progress is told the share between 0 and 1; the signal stops it. A problem is thrown. */
export async function upload<T>(path: string, file: File, type: string, progress: (share: number) => void, signal: AbortSignal, method: Method = "PUT"): Promise<T> {
  const key = method === "POST" ? crypto.randomUUID() : undefined;
  try {
    return await send<T>(method, path, file, type, progress, signal, key);
  } catch (error) {
    if (isProblem(error) && error.code === "second_factor_required" && (await askProof())) {
      return send<T>(method, path, file, type, progress, signal, key);
    }
    throw error;
  }
}

async function send<T>(method: Method, path: string, file: File, type: string, progress: (share: number) => void, signal: AbortSignal, key?: string): Promise<T> {
  const token = await accessToken();
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, location.origin + path);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Content-Type", type);
    if (key) {
      request.setRequestHeader("Idempotency-Key", key);
    }
    request.responseType = "json";
    request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    request.onload = () =>
      request.status < 300
        ? resolve(request.response as T)
        : reject((request.response as unknown) ?? { status: request.status, code: "", title: request.statusText, detail: "" });
    request.onerror = () => reject(new TypeError("the file could not be sent"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}
