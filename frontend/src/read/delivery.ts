/** How each kind of finished work is sent, and what the answer tells. */

import type { Api } from "../api/client";
import type { Told, Workload } from "../api/types";
import type { Pending, PendingReading, PendingRemark, PendingRevision, PendingSkip } from "./journal";

export interface Delivered {
  readonly workload: Workload | null;
  /** After a case of known answer: which one it was, and what its reader is told. */
  readonly told?: { readonly caseId: string; readonly number: number; readonly told: Told } | null;
}

const reading = async (client: Api, entry: PendingReading): Promise<Delivered> => {
  const { idempotency_key, lease_id, answers, seconds, protocol_version, suggestion } = entry;
  const body = { idempotency_key, lease_id, answers, seconds, protocol_version, suggestion };
  const { workload, told = null } = await client.submit(entry.case_id, body);
  return { workload, told: told && { caseId: entry.case_id, number: entry.number, told } };
};

const skip = async (client: Api, entry: PendingSkip): Promise<Delivered> => {
  const { idempotency_key, lease_id, reason, comment, cannot_be_read } = entry;
  const body = { idempotency_key, lease_id, reason, comment, cannot_be_read };
  return { workload: (await client.skip(entry.case_id, body)).workload };
};

const revision = async (client: Api, entry: PendingRevision): Promise<Delivered> => {
  const { idempotency_key, base_revision, answers, seconds, protocol_version } = entry;
  await client.revise(entry.reading_id, {
    idempotency_key,
    base_revision,
    answers,
    seconds,
    protocol_version,
  });
  return { workload: null };
};

const remark = async (client: Api, entry: PendingRemark): Promise<Delivered> => {
  await client.remark(entry.case_id, { ...entry.remark, idempotency_key: entry.idempotency_key });
  return { workload: null };
};

/** Send one entry; the same entry sent twice is taken once. */
export const deliver = (client: Api, entry: Pending): Promise<Delivered> => {
  if (entry.kind === "reading") return reading(client, entry);
  if (entry.kind === "remark") return remark(client, entry);
  return entry.kind === "skip" ? skip(client, entry) : revision(client, entry);
};
