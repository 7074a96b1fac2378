// What every call of the generated client goes through: where the gateway is, and who is calling.
import { token, url } from '../environment.js';

export async function request<T>(path: string, options: RequestInit): Promise<T> {
  const headers = new Headers(options.headers);
  headers.set('Authorization', `Bearer ${token}`);
  const answer = await fetch(url + path, { ...options, headers });
  const text = await answer.text();
  return { data: text === '' ? undefined : JSON.parse(text), status: answer.status, headers: answer.headers } as T;
}
