#!/usr/bin/env node
// Plays every sound of a page that `jitterbug race --report FILE.html` wrote, in Chromium without a window, and fails when
// one has no length or an error, or when the page logs anything. Needs chromium and node 20.10 or newer.
//
//   scripts/play-page race.html [PORT]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const [file, port = '9333'] = process.argv.slice(2)
if (!file) {
  console.error('Usage: scripts/play-page FILE.html [PORT]')
  process.exit(2)
}
if (typeof WebSocket === 'undefined') {
  // Node 20 has it behind an option.
  const again = spawn(process.execPath, ['--experimental-websocket', ...process.argv.slice(1)], { stdio: 'inherit' })
  again.on('exit', code => process.exit(code ?? 1))
} else {
  process.exitCode = await play()
}

async function play() {
  const profile = mkdtempSync(join(tmpdir(), 'play-page-'))
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--mute-audio', `--user-data-dir=${profile}`,
    '--autoplay-policy=no-user-gesture-required', `--remote-debugging-port=${port}`, 'file://' + resolve(file)]
  const chromium = spawn('chromium', options, { stdio: 'ignore' })
  const gone = new Promise(done => chromium.on('exit', done))
  try {
    const call = await connect()
    const problems = []
    call.log = text => problems.push(text)
    await call('Log.enable')
    // A busy machine's Chromium is reached while its window is still empty.
    for (let round = 0; round < 120; round++) {
      const state = await call('Runtime.evaluate', { expression: 'location.protocol + document.readyState' })
      if (state?.result?.value === 'file:complete') break
      await sleep(250)
    }
    const { result } = await call('Runtime.evaluate',
      { expression: `(${inPage})()`, awaitPromise: true, returnByValue: true })
    for (const sound of result.value) {
      console.log(`${sound.label}: ${sound.type}, ${sound.seconds} s${sound.error ? ', ' + sound.error : ''}`)
      if (!(sound.seconds > 0) || sound.error) problems.push(`${sound.label}: ${sound.type} can't be played`)
    }
    if (!result.value.length) problems.push('there is no sound in the page')
    for (const problem of problems) console.error(problem)
    return problems.length ? 1 : 0
  } finally {
    chromium.kill()
    await gone
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

/** Opens the page's socket, and gives a function that calls methods of the DevTools protocol. */
async function connect() {
  let page
  for (let round = 0; round < 120 && !page; round++) {
    await sleep(250)
    try {
      page = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()).find(one => one.type === 'page')
    } catch {}
  }
  if (!page) throw new Error('Chromium did not open the page within 30 s.')
  const socket = new WebSocket(page.webSocketDebuggerUrl)
  await new Promise(done => socket.addEventListener('open', done))
  let last = 0
  const waiting = new Map()
  const call = (method, params = {}) => new Promise(done => {
    waiting.set(++last, done)
    socket.send(JSON.stringify({ id: last, method, params }))
  })
  socket.addEventListener('message', message => {
    const data = JSON.parse(message.data)
    waiting.get(data.id)?.(data.result)
    if (data.method === 'Log.entryAdded') call.log?.(data.params.entry.text)
  })
  return call
}

/** Runs in the page: loads each source by itself, then plays what the player chose. */
async function inPage() {
  const sounds = []
  const wait = time => new Promise(done => setTimeout(done, time))
  while (document.readyState !== 'complete') await wait(50)
  for (const player of document.querySelectorAll('audio')) {
    const label = player.getAttribute('aria-label')
    for (const source of player.querySelectorAll('source')) {
      const alone = new Audio()
      await new Promise(done => {
        alone.onloadedmetadata = alone.onerror = done
        setTimeout(done, 10000)
        alone.src = source.src
      })
      sounds.push({ label, type: source.type, seconds: alone.duration, error: alone.error?.message })
    }
    const sound = { label, type: 'played', seconds: 0 }
    try {
      await player.play()
      for (let round = 0; round < 100 && player.currentTime === 0; round++) await wait(50)
      sound.seconds = player.currentTime
      player.pause()
    } catch (error) {
      sound.error = String(error)
    }
    sounds.push(sound)
  }
  return sounds
}
