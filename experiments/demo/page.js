function drop(element, trigger, watch, props, most) {
  const label = element.querySelector(".drop"), input = label.querySelector("input");
  const words = label.querySelector("b"), usual = words.textContent;
  function bring(file) {
    if (!file) return;
    if (file.size > most) { words.textContent = `An image here may have ${most / 2 ** 20} MB`; return; }
    words.textContent = usual;
    const reader = new FileReader();
    reader.onload = () => trigger("upload", { image: reader.result.split(",")[1] || "" });
    reader.readAsDataURL(file);
    input.value = "";
  }
  input.addEventListener("change", () => bring(input.files[0]));
  document.addEventListener("paste", (event) => bring([...event.clipboardData.files][0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    label.addEventListener(kind, (event) => {
      event.preventDefault();
      label.classList.toggle("over", kind === "dragover");
      if (kind === "drop") bring(event.dataTransfer.files[0]);
    });
  }
}

function tiles(element, trigger) {
  element.addEventListener("click", (event) => {
    const tile = event.target.closest("button[data-row]");
    if (tile) trigger("select", { row: Number(tile.dataset.row) });
  });
}

function groups(element, trigger) {
  element.addEventListener("click", (event) => {
    if (!event.target.closest(".write")) return;
    const ticked = [...element.querySelectorAll("input:checked")];
    trigger("submit", { rows: ticked.map((box) => Number(box.dataset.row)) });
  });
}

function map(element, trigger, watch, props) {
  const canvas = element.querySelector("canvas"), hover = element.querySelector(".hover");
  const edge = 12;
  let shown = null, near = -1;
  function at(i) {
    return [edge + shown.x[i] * (canvas.width - 2 * edge), edge + shown.y[i] * (canvas.height - 2 * edge)];
  }
  function draw() {
    if (!(shown = props.value)) return;
    canvas.width = canvas.height = Math.max(200, canvas.clientWidth) * devicePixelRatio;
    const pen = canvas.getContext("2d"), radius = (shown.x.length > 1500 ? 2.5 : 4) * devicePixelRatio;
    for (let i = 0; i < shown.x.length; i++) {
      pen.fillStyle = shown.inks[i] < 0 ? "#999999" : shown.legend[shown.inks[i]][1];
      pen.beginPath();
      pen.arc(...at(i), radius, 0, 7);
      pen.fill();
    }
    element.querySelector(".legend").replaceChildren(...shown.legend.map(([name, colour]) => {
      const item = document.createElement("li"), patch = document.createElement("i");
      patch.style.background = colour;
      item.append(patch, name);
      return item;
    }));
  }
  function nearest(event) {
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = -1, least = (20 * devicePixelRatio) ** 2;
    for (let i = 0; shown && i < shown.x.length; i++) {
      const [a, b] = at(i), far = (a - x) ** 2 + (b - y) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }
  canvas.addEventListener("pointermove", (event) => {
    const i = nearest(event);
    hover.hidden = i < 0;
    if (i < 0) return;
    hover.style.left = `${Math.min(event.clientX + 12, innerWidth - 140)}px`;
    hover.style.top = `${Math.min(event.clientY + 12, innerHeight - 200)}px`;
    if (i === near) return;
    near = i;
    hover.querySelector("img").src = `picture/${shown.rows[i]}`;
    hover.querySelector("small").textContent = shown.names[i];
  });
  canvas.addEventListener("pointerleave", () => { hover.hidden = true; });
  canvas.addEventListener("click", (event) => {
    const i = nearest(event);
    if (i >= 0) trigger("select", { row: shown.rows[i] });
  });
  watch("value", draw);
  new ResizeObserver(draw).observe(canvas);
}
