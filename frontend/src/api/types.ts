/** What the server says and hears, as the reading room uses it. */

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Question {
  readonly key: string;
  readonly prompt: string;
  readonly kind: string;
  readonly choices: readonly Choice[];
}

export interface Protocol {
  readonly version: number;
  readonly questions: readonly Question[];
}

export type Answers = Readonly<Record<string, string>>;

/** DICOM attributes by keyword: numbers are numbers, several values are a list, absent is absent. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface InstanceView {
  readonly sop_instance_uid: string;
  readonly instance_number: number;
  readonly frames: number;
  readonly attributes: Attributes;
}

export interface CaseView {
  readonly id: string;
  readonly number: number;
  readonly modality: string;
  readonly instances: readonly InstanceView[];
}

export interface Draft {
  readonly version: number;
  readonly answers: Answers;
  readonly seconds: number;
}

export interface Why {
  readonly reason: string;
  readonly stream: string;
  readonly score: number | null;
  readonly rank: number | null;
  readonly pool_size: number | null;
  readonly model_number: number | null;
  readonly strategy: string | null;
  readonly text: string;
}

export interface LeasedCase {
  readonly lease_id: string;
  readonly expires_at: string;
  readonly case: CaseView;
  readonly protocol: Protocol;
  readonly draft: Draft | null;
  readonly why: Why;
}

export interface Progress {
  readonly read_by_me: number;
  readonly read: number;
  readonly waiting: number;
  readonly total: number;
}

export interface Workload {
  readonly cases: readonly LeasedCase[];
  readonly progress: Progress;
}

export interface PastReading {
  readonly reading_id: string;
  readonly revision: number;
  readonly case: CaseView;
  readonly protocol: Protocol;
  readonly answers: Answers;
  readonly submitted_at: string;
}

export interface Submitted {
  readonly reading_id: string;
  readonly revision: number;
  readonly workload: Workload;
}

export interface Skipped {
  readonly workload: Workload;
}

export interface Session {
  readonly user: { readonly id: string; readonly username: string; readonly is_admin: boolean };
  readonly csrf_token: string;
  readonly idle_seconds: number;
}
