// Pictures of people who do not exist, and of what they show.

const [WIDTH, HEIGHT] = [960, 540];
/** Pictures a second. */
const RATE = 12;
const TURN = 2 * Math.PI;

/** How somebody looks, and their room. */
interface Look {
  wall: [string, string];
  light: string;
  skin: string;
  hair: string;
  shirt: string;
  isLong: boolean;
  thing: (pen: CanvasRenderingContext2D) => void;
}

/** The number of the person at this page. */
export const OWN = 3;

const LOOKS: Look[] = [
  { wall: ["#cfdad3", "#9db3a8"], light: "#fff6dc", skin: "#e8b994", hair: "#4a3325", shirt: "#2f5d73", isLong: false, thing: shelf },
  { wall: ["#e6d5c3", "#c2a488"], light: "#fffaf0", skin: "#f1cdb0", hair: "#a8572c", shirt: "#7b3f52", isLong: true, thing: plant },
  { wall: ["#c9cfe2", "#8d97ba"], light: "#fdf3e3", skin: "#a86f4b", hair: "#1f1a1a", shirt: "#d9a441", isLong: true, thing: lamp },
  { wall: ["#d8d3e4", "#a79fc2"], light: "#fff8ea", skin: "#d9a279", hair: "#2b2230", shirt: "#3c7a6b", isLong: true, thing: shelf },
  { wall: ["#dfe3cf", "#aab48c"], light: "#fffbe8", skin: "#f3d3bb", hair: "#c9b48a", shirt: "#54506e", isLong: false, thing: lamp },
  { wall: ["#d3e0e6", "#94b0bd"], light: "#fff7e6", skin: "#7d4e33", hair: "#17120f", shirt: "#b85c3e", isLong: false, thing: plant },
];

/** A picture of a camera or a screen. It moves a little, unless the person wants no motion. */
export function picture(number: number, kind: "camera" | "screen"): MediaStream {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const pen = canvas.getContext("2d");
  const look = LOOKS[number % LOOKS.length]!;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const draw = () => {
    if (!pen) return;
    const time = still.matches ? 0 : performance.now() / 1_000 + number;
    if (kind === "screen") slide(pen);
    else person(pen, look, Math.sin(time) * 7, Math.sin(time * 0.7) * 4);
  };
  draw();
  const stream = canvas.captureStream(RATE);
  const [track] = stream.getVideoTracks();
  const timer = setInterval(() => {
    draw();
    if (track?.readyState === "ended") clearInterval(timer);
  }, 1_000 / RATE);
  return stream;
}

function person(pen: CanvasRenderingContext2D, { wall, light, skin, hair, shirt, isLong, thing }: Look, x: number, y: number): void {
  const shade = pen.createLinearGradient(0, 0, WIDTH, HEIGHT);
  shade.addColorStop(0, wall[0]);
  shade.addColorStop(1, wall[1]);
  pen.fillStyle = shade;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  // The light of a window falls onto the wall.
  const glow = pen.createRadialGradient(170, 80, 20, 170, 80, 520);
  glow.addColorStop(0, light);
  glow.addColorStop(1, "rgb(255 255 255 / 0)");
  pen.fillStyle = glow;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  thing(pen);
  pen.save();
  pen.translate(WIDTH / 2 + x, 20 + y);
  if (isLong) {
    pen.fillStyle = hair;
    pen.beginPath();
    pen.roundRect(-122, 120, 244, 330, 118);
    pen.fill();
  }
  pen.fillStyle = shirt;
  pen.beginPath();
  pen.roundRect(-215, 372, 430, 320, [150, 150, 0, 0]);
  pen.fill();
  pen.fillStyle = skin;
  pen.beginPath();
  pen.roundRect(-44, 300, 88, 110, [0, 0, 44, 44]);
  pen.fill();
  oval(pen, "rgb(0 0 0 / 0.1)", 0, 322, 46, 26);
  oval(pen, skin, 0, 220, 92, 116);
  pen.fillStyle = hair;
  pen.beginPath();
  pen.ellipse(0, 196, 102, 112, 0, TURN / 2, 0);
  pen.bezierCurveTo(84, 156, 10, 168, -20, 132);
  pen.bezierCurveTo(-40, 172, -84, 160, -102, 196);
  pen.fill();
  for (const side of [-1, 1]) oval(pen, "#2a2320", side * 34, 226, 7, 8);
  pen.strokeStyle = "rgb(80 30 20 / 0.7)";
  pen.lineWidth = 5;
  pen.lineCap = "round";
  pen.beginPath();
  pen.arc(0, 256, 30, 0.5, TURN / 2 - 0.5);
  pen.stroke();
  pen.restore();
}

function oval(pen: CanvasRenderingContext2D, colour: string, x: number, y: number, across: number, down: number): void {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.ellipse(x, y, across, down, 0, 0, TURN);
  pen.fill();
}

function shelf(pen: CanvasRenderingContext2D): void {
  pen.fillStyle = "rgb(70 50 35 / 0.55)";
  pen.fillRect(680, 236, 230, 10);
  for (const [index, colour] of ["#b5533c", "#e0b04a", "#3f6f8f", "#7c8c54", "#efe6d6", "#8a5a83"].entries()) {
    const height = 74 + ((index * 37) % 34);
    pen.fillStyle = colour;
    pen.fillRect(700 + index * 30, 236 - height, 25, height);
  }
}

function plant(pen: CanvasRenderingContext2D): void {
  for (const [index, turn] of [-0.9, -0.45, 0, 0.45, 0.9].entries()) {
    pen.fillStyle = index % 2 ? "#5f8557" : "#4a6f49";
    pen.beginPath();
    pen.ellipse(800 + Math.sin(turn) * 80, 310 - Math.cos(turn) * 90, 26, 92, turn, 0, TURN);
    pen.fill();
  }
  pen.fillStyle = "#b97a56";
  pen.beginPath();
  pen.roundRect(752, 340, 96, 110, [6, 6, 26, 26]);
  pen.fill();
}

function lamp(pen: CanvasRenderingContext2D): void {
  const glow = pen.createRadialGradient(800, 190, 10, 800, 190, 240);
  glow.addColorStop(0, "rgb(255 236 190 / 0.9)");
  glow.addColorStop(1, "rgb(255 236 190 / 0)");
  pen.fillStyle = glow;
  pen.fillRect(540, 0, 420, HEIGHT);
  pen.fillStyle = "#4b4540";
  pen.fillRect(796, 220, 8, 330);
  pen.fillStyle = "#f4e3bd";
  pen.beginPath();
  pen.moveTo(764, 130);
  pen.lineTo(836, 130);
  pen.lineTo(872, 226);
  pen.lineTo(728, 226);
  pen.fill();
}

/** What is left to do until Friday, as a page with a plan. */
function slide(pen: CanvasRenderingContext2D): void {
  const text = (words: string, x: number, y: number, font: string, colour = "#2a2723") => {
    pen.font = `${font} system-ui, sans-serif`;
    pen.fillStyle = colour;
    pen.fillText(words, x, y);
  };
  pen.fillStyle = "#fdfcf9";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.fillStyle = "#176b63";
  pen.fillRect(0, 0, 12, HEIGHT);
  text("Summer fair: the plan for Friday", 64, 92, "600 40px");
  text("What is left, and who takes it", 64, 132, "22px", "#6b655d");
  const rows: [string, string, number][] = [["Pictures", "Claire", 0.8], ["Texts for the front page", "Amal", 0.55], ["Cake", "Ada", 0.15], ["Tables and chairs", "Ben", 1]];
  for (const [index, [what, who, done]] of rows.entries()) {
    const y = 204 + index * 78;
    text(what, 64, y, "26px");
    text(who, 430, y, "26px", "#6b655d");
    pen.fillStyle = "#e7e2d9";
    pen.beginPath();
    pen.roundRect(580, y - 19, 316, 20, 10);
    pen.fill();
    pen.fillStyle = done === 1 ? "#3f7d3c" : "#176b63";
    pen.beginPath();
    pen.roundRect(580, y - 19, 316 * done, 20, 10);
    pen.fill();
    pen.fillStyle = "#e7e2d9";
    pen.fillRect(64, y + 26, 832, 2);
  }
}
