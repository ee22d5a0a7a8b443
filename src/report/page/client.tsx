/// <reference lib="dom" />
// Runs in the reader's browser: makes the page that was rendered as text live.
import { hydrate } from 'preact'
import type { Report } from '../report.ts'
import { App } from './app.tsx'

const data = document.getElementById('data')?.textContent ?? '[]'
const root = document.getElementById('report')
if (root) hydrate(<App reports={JSON.parse(data) as Report[]} />, root)
