#!/usr/bin/env node
import '../dist/src/packed/vmcheck.js'
