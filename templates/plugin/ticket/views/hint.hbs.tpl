<section class="card"><div class="card-body">
  <h2 class="h3">{{t "__id__:hint.title"}}</h2>
  <p class="quiet mb-0">{{t "__id__:hint.text" words=(join words ", ")}}</p>
</div></section>
